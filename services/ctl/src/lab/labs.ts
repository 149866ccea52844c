import type { Cut, Slowness } from './faults.ts';
import type { LabPlan, ProcessKind } from './plan.ts';
import type { LabStatus } from './status.ts';

export const signals = ['KILL', 'TERM', 'INT', 'HUP', 'QUIT', 'ABRT', 'USR1', 'USR2', 'STOP', 'CONT'] as const;
export type Signal = (typeof signals)[number];

/** Hears of each step, for people. */
export type Progress = (message: string) => void;

/** The labs of this machine. All throw CausewayErrors: `lab-unknown`, `lab-exists`, `permission-denied`, … */
export interface Labs {
  /** Every agent has a session when it resolves; nothing is left when it fails or the signal aborts. */
  up(plan: LabPlan, progress: Progress, signal: AbortSignal): Promise<void>;
  status(name: string): Promise<LabStatus>;
  /** With this process's stdin, stdout and stderr; answers the exit status, 128 + the number of a signal that ended it. */
  exec(name: string, host: string, command: readonly string[]): Promise<number>;
  /** What is killed stays down until started. */
  kill(name: string, host: string, kind: ProcessKind, signal: Signal): Promise<void>;
  start(name: string, host: string, kind: ProcessKind): Promise<void>;
  /** Ends the process for good and removes what it has on disk, an embedded etcd's data included. */
  wipe(name: string, host: string, kind: ProcessKind): Promise<void>;
  /** Nothing passes, until healed. */
  cut(name: string, cut: Cut): Promise<void>;
  /** The cuts of a pair, those of a host, or all cuts and slowness. */
  heal(name: string, a: string | undefined, b: string | undefined): Promise<void>;
  /** In place of what it was before; a delay needs netem in the kernel (`capability-missing`). */
  slow(name: string, host: string, slowness: Slowness): Promise<void>;
  /** Leaves nothing, whatever of the lab was killed before. */
  down(name: string): Promise<void>;
  names(): Promise<readonly string[]>;
}
