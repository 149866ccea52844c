export * from '../failover/index.ts';
export type * from './calls.ts';
export * from './endpoint.ts';
export * from './error.ts';
export * from './legible.ts';
export * from './message-writer.ts';
export * from './network.ts';
export * from './node.ts';
export * from './rows.ts';
