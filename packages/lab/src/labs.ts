import type { Cut, Slowness } from './faults.ts';
import type { LabPlan, ProcessKind } from './plan.ts';
import type { LabStatus } from './status.ts';

export const signals = ['KILL', 'TERM', 'INT', 'HUP', 'QUIT', 'ABRT', 'USR1', 'USR2', 'STOP', 'CONT'] as const;
export type Signal = (typeof signals)[number];

/** Called with each step, for people. */
export type Progress = (message: string) => void;

/** The labs of a machine. All throw CausewayErrors: `lab-unknown`, `lab-exists`, `permission-denied`, … */
export interface Labs {
  /** Every agent has a session when this resolves. When it fails or the signal aborts, everything is removed. */
  up(plan: LabPlan, progress: Progress, signal: AbortSignal): Promise<LabControl>;
  /** Throws `lab-unknown`, also for a lab that is being made or removed. */
  open(name: string): Promise<LabControl>;
  /** Removes everything, even if parts of the lab were killed before. */
  down(name: string): Promise<void>;
  names(): Promise<readonly string[]>;
  /** Makes hosts members of a cluster, as an order on stdin says. For `up`, which runs it in the network of a host. */
  enroll(): Promise<void>;
}

/** The operations of `causeway lab` on a complete lab. */
export interface LabControl {
  status(): Promise<LabStatus>;
  /**
   * Runs a command with this process's stdin, stdout and stderr; resolves to its exit status, or 128 + the number of the
   * signal that ended it.
   */
  exec(host: string, command: readonly string[]): Promise<number>;
  /** A killed process stays down until it is started. */
  kill(host: string, kind: ProcessKind, signal: Signal): Promise<void>;
  startProcess(host: string, kind: ProcessKind): Promise<void>;
  /** Ends the process, and removes its data on disk, including those of an embedded etcd. */
  wipe(host: string, kind: ProcessKind): Promise<void>;
  /** Drops all packets until `heal`. */
  cut(cut: Cut): Promise<void>;
  /** Ends the cuts of a pair, the cuts of a host, or all cuts and all slowness. */
  heal(a?: string, b?: string): Promise<void>;
  /** Replaces the host's former slowness. A delay needs netem in the kernel (`capability-missing`). */
  slow(host: string, slowness: Slowness): Promise<void>;
}
