import { spawn } from 'node:child_process';
import { CausewayError } from '@causeway/model';

/** Debian keeps `ip` and `bridge` where a user's PATH may not lead. */
export const machinePath = `${process.env.PATH ?? ''}:/usr/sbin:/sbin:/usr/bin:/bin`;

export interface RunOptions {
  readonly input?: string;
  /** In place of this process's. */
  readonly env?: Readonly<Record<string, string>>;
  /** An open file, given as descriptor 3. */
  readonly file?: number;
}

/** Runs a command to its end; what it wrote to stdout. A failure throws with what it wrote to stderr. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
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
    child.stdin?.on('error', () => undefined); // It may end without reading; its status says how it went.
    child.stdin?.end(options.input ?? '');
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout);
      const what = [command, ...args].join(' ');
      reject(new CausewayError('internal', `"${what}" failed (${signal ?? code}): ${stderr.trim() || 'no message'}`));
    });
  });
}
