import type { Clock, Random } from '@causeway/runtime';
import type { Connect } from './clients.ts';
import type { HostVariables } from './host-settings.ts';

/** A stream for people or programs to read. */
export interface Output {
  write(text: string): void;
  /** Somebody watches: progress may be drawn. */
  readonly isTty: boolean;
  /** Colour is welcome: a TTY, and NO_COLOR (no-color.org) is not set. */
  readonly colour: boolean;
}

/** Why a command was told to end early, and what the process then exits with. */
export interface Interruption {
  readonly exitCode: number;
}

/** Everything a command may touch of the world. main.ts makes the real one, tests their own. */
export interface Context {
  /** Data, nothing else. */
  readonly stdout: Output;
  /** Talk: errors, warnings, progress. */
  readonly stderr: Output;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts on SIGINT, SIGTERM and when the reader of stdout is gone; its reason is an Interruption. */
  readonly signal: AbortSignal;
  readonly connect: Connect;
  /** What the units on this host are started with. */
  readonly hostVariables: () => Promise<HostVariables>;
  /** Of this program, and of the runtime under it. */
  readonly version: string;
  readonly runtime: string;
  /** What the process exits with when the command throws nothing. A command that runs another passes its status on here. */
  exitCode: number;
}
