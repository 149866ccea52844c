import type { ProcessKind } from './plan.ts';

/** `causeway lab status -o json`. */
export interface LabStatus {
  readonly name: string;
  readonly hosts: readonly HostStatus[];
}

export interface HostStatus {
  readonly name: string;
  readonly underlay: string;
  /** Its agent has a session with a manager. */
  readonly ready: boolean;
  /** Hosts it cannot reach, nor they it, because of `lab cut`; absent when there is none. */
  readonly cut?: readonly string[];
  /** Hosts that nothing of it reaches, while what they send arrives; absent when there is none. */
  readonly unheardBy?: readonly string[];
  /** Because of `lab slow`; absent when it is as quick as ever. */
  readonly slow?: { readonly delayMs: number; readonly loss: number; readonly dropAbove: number };
  readonly processes: readonly ProcessStatus[];
}

export interface ProcessStatus {
  readonly kind: ProcessKind;
  /** As seen from outside the host; null when it does not run. */
  readonly pid: number | null;
  readonly running: boolean;
  /** Path of its log on the machine. */
  readonly log: string;
}
