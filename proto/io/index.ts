export * from './call.ts';
export * from './credentials.ts';
