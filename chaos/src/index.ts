export { checkHistory } from './history/check.ts';
export { checkAddress, type Verdict } from './history/linearizable.ts';
export { type Act, type Operation, printOperation } from './history/operation.ts';
