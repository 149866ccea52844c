export type { Cut, Slowness } from './faults.ts';
export { type LabControl, type Labs, type Progress, type Signal, signals } from './labs.ts';
export {
  type EtcdKind,
  etcdKinds,
  hostOf,
  type LabPlan,
  type LabSettings,
  type ProcessKind,
  planLab,
  processKinds,
} from './plan.ts';
export type { HostStatus, LabStatus, ProcessStatus } from './status.ts';
