export { hostEnvironment } from './io/environment.ts';
export { entrance, signalChild } from './io/exec.ts';
export { machineLabs } from './io/labs.ts';
export { enterArguments } from './io/namespace.ts';
export { type Lab, loadLab, paths as labPaths } from './io/state.ts';
export type { Labs, Signal } from './labs.ts';
export { type LabPlan, type LabSettings, type ProcessKind, planLab } from './plan.ts';
export type { HostStatus, LabStatus, ProcessStatus } from './status.ts';
