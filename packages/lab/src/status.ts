import type { ProcessKind } from './plan.ts';

/** `causeway lab status -o json`. */
export interface LabStatus {
  readonly name: string;
  readonly hosts: readonly HostStatus[];
}

export interface HostStatus {
  readonly name: string;
  readonly underlay: string;
  /** Whether the host's agent has a session with a manager. */
  readonly ready: boolean;
  /** Hosts with which this host cannot exchange packets in either direction, because of `lab cut`; absent: none. */
  readonly cut?: readonly string[];
  /** Hosts that receive nothing from this host, although their packets arrive here; absent: none. */
  readonly unheardBy?: readonly string[];
  /** Because of `lab slow`; absent: the host is not slow. */
  readonly slow?: { readonly delayMs: number; readonly loss: number; readonly dropAbove: number };
  readonly processes: readonly ProcessStatus[];
}

export interface ProcessStatus {
  readonly kind: ProcessKind;
  /** The pid outside the host; null: the process does not run. */
  readonly pid: number | null;
  readonly running: boolean;
  /** Path of the process's log on the machine. */
  readonly log: string;
}
