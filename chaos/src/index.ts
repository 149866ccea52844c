export { checkHistory } from './history/check.ts';
export { checkAddress } from './history/linearizable.ts';
export { type Act, type Operation, printOperation } from './history/operation.ts';
export type { Entry, Outcome } from './load/journal.ts';
export { type EndpointRecord, keysOf } from './record/audit.ts';
export type { Revision } from './record/revision.ts';
export { type Evidence, judge, type Verdict } from './verdict.ts';
