export { type Command, signalChild } from './exec.ts';
export { LabGuest } from './guests.ts';
export { Lab, type LabShape } from './lab.ts';
export { machineLabs } from './machine-labs.ts';
export type { ProcessId } from './proc.ts';
export { type Outcome, type Run, type RunOptions, start, succeed } from './process.ts';
