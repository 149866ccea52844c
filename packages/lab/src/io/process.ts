import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { CausewayError } from '@causeway/model';

/** Debian keeps `ip` and `bridge` in folders that a user's PATH may lack. */
export const machinePath = `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`;

/** How a command ended. */
export interface Outcome {
  /** Exit status as in a shell: for a command that a signal ended, 128 + the number of the signal. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running command. */
export interface Run {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  /** Replaces the environment of this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** An open file, given as descriptor 3. */
  readonly file?: number;
}

/** Starts a command and collects what it writes. */
export function start(command: string, args: readonly string[], options: RunOptions = {}): Run {
  const child = spawn(command, args, {
    env: options.env ?? { ...process.env, PATH: machinePath },
    stdio: ['pipe', 'pipe', 'pipe', options.file ?? 'ignore'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin?.on('error', () => undefined); // A command may end without reading its input; its status says how it went.
  child.stdin?.end(options.input ?? '');
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: exitStatus(code, signal), stdout, stderr }));
  });
  return { child, outcome };
}

/** Stdout of a command that must succeed. `what`: its name in the error. */
export async function succeed(what: string, outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome;
  if (code === 0) return stdout;
  const said = `${stdout}${stderr}`.trim() || 'no message';
  throw new CausewayError('internal', `${what} failed (exit ${code}): ${said}`);
}

/** Runs a command of this machine, and waits for its end. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return succeed(`"${[command, ...args].join(' ')}"`, start(command, args, options).outcome);
}

/** Exit status as in a shell. */
export function exitStatus(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}
