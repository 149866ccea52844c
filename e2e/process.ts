import { type ChildProcess, spawn } from 'node:child_process';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Run {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
}

/** Starts a command; its outcome is that of a shell: a signal that ended it is 128 + its number. */
export function start(command: string, args: readonly string[], options: RunOptions = {}): Run {
  const child = spawn(command, args, { env: options.env ?? process.env });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const outcome = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? (signal === 'SIGKILL' ? 137 : 143), stdout, stderr }));
  });
  return { child, outcome };
}

/** The outcome of one that must succeed. */
export async function succeed(what: string, outcome: Promise<Outcome>): Promise<string> {
  const { code, stdout, stderr } = await outcome;
  if (code !== 0) throw new Error(`${what}: exit ${code}\n${stdout}${stderr}`);
  return stdout;
}
