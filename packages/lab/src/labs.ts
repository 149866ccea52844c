import type { Cut, Slowness } from './faults.ts';
import type { LabPlan, ProcessKind } from './plan.ts';
import type { LabStatus } from './status.ts';

export const signals = ['KILL', 'TERM', 'INT', 'HUP', 'QUIT', 'ABRT', 'USR1', 'USR2', 'STOP', 'CONT'] as const;
export type Signal = (typeof signals)[number];

/** Hears of each step, for people. */
export type Progress = (message: string) => void;

/** The labs of a machine. All throw CausewayErrors: `lab-unknown`, `lab-exists`, `permission-denied`, … */
export interface Labs {
  /** Every agent has a session when this resolves; nothing is left when it fails or the signal aborts. */
  up(plan: LabPlan, progress: Progress, signal: AbortSignal): Promise<LabControl>;
  /** Throws `lab-unknown`, also for a lab that is being made or removed. */
  open(name: string): Promise<LabControl>;
  /** Leaves nothing, whatever of the lab was killed before. */
  down(name: string): Promise<void>;
  names(): Promise<readonly string[]>;
}

/** What `causeway lab` does with a lab that stands. */
export interface LabControl {
  status(): Promise<LabStatus>;
  /** With this process's stdin, stdout and stderr; resolves to the exit status, 128 + the number of a signal that ended it. */
  exec(host: string, command: readonly string[]): Promise<number>;
  /** What is killed stays down until started. */
  kill(host: string, kind: ProcessKind, signal: Signal): Promise<void>;
  startProcess(host: string, kind: ProcessKind): Promise<void>;
  /** Ends the process for good and removes what it has on disk, an embedded etcd's data included. */
  wipe(host: string, kind: ProcessKind): Promise<void>;
  /** Nothing passes, until healed. */
  cut(cut: Cut): Promise<void>;
  /** Ends the cuts of a pair, those of a host, or all cuts and slowness. */
  heal(a?: string, b?: string): Promise<void>;
  /** In place of what the host had before; a delay needs netem in the kernel (`capability-missing`). */
  slow(host: string, slowness: Slowness): Promise<void>;
}
