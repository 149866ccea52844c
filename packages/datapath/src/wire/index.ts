export * from './address.ts';
export * from './constants.ts';
export * from './event.ts';
export * from './link.ts';
export * from './neighbour.ts';
export * from './nsid.ts';
export * from './own-entries.ts';
export * from './route.ts';
