export * from './door-contract.ts';
export * from './home-contract.ts';
export * from './memory-home.ts';
export * from './memory-managers.ts';
