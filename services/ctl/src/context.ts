import type { Clock, Random } from '@causeway/runtime';
import type { Connect } from './clients.ts';
import type { HostVariables } from './host-settings.ts';

/** A stream for people or programs to read. */
export interface Output {
  write(text: string): void;
  /** A person reads the stream: progress may be drawn. */
  readonly isTty: boolean;
  /** Colour may be used: the stream is a TTY, and NO_COLOR (no-color.org) is not set. */
  readonly colour: boolean;
}

/** Why a command had to end early, and the exit code of the process. */
export interface Interruption {
  readonly exitCode: number;
}

/** Everything that a command may use of the outside world. main.ts makes the real context, tests make their own. */
export interface Context {
  /** For data only. */
  readonly stdout: Output;
  /** For messages: errors, warnings, progress. */
  readonly stderr: Output;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborts on SIGINT, SIGTERM and when the reader of stdout is gone. Its reason is an Interruption. */
  readonly signal: AbortSignal;
  readonly connect: Connect;
  /** Variables with which the systemd units on this host are started. */
  readonly hostVariables: () => Promise<HostVariables>;
  /** HOST:PORT of the managers of a context of this user. Absent: of the context in use. Empty: they are not known. */
  readonly managersOfContext: (context: string | undefined) => Promise<readonly string[]>;
  /** Versions of this program and of the runtime that runs it. */
  readonly version: string;
  readonly runtime: string;
  /**
   * Exit code of the process when the command throws nothing. A command that runs another program passes on its status
   * here.
   */
  exitCode: number;
}
