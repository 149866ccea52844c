export type { Evidence } from './evidence.ts';
export { checkHistory } from './history/check.ts';
export { checkAddress } from './history/linearizable.ts';
export { type Act, type Operation, printOperation } from './history/operation.ts';
export type { Entry, Outcome } from './load/journal.ts';
export { type EndpointRecord, keysOf, keysOfNetwork } from './record/records.ts';
export type { Revision } from './record/revision.ts';
export { judge, type Verdict } from './verdict.ts';
