export * from '../failover/index.ts';
export type * from './calls.ts';
export * from './error.ts';
export * from './message-writer.ts';
export * from './records.ts';
export * from './rows.ts';
export * from './text.ts';
