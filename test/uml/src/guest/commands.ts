// What programs in a guest have in common: commands, pings in a host's namespace, and the result.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

export function run(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export function ip(...args: readonly string[]): string {
  return run('ip', ...args);
}

export interface Pings {
  readonly sent: number;
  readonly received: number;
  readonly duplicates: number;
}

/** Pings an address from a namespace. */
export async function ping(netns: string, address: string, ...options: readonly string[]): Promise<Pings> {
  const child = spawn('ip', ['netns', 'exec', netns, 'ping', '-q', '-W', '1', ...options, address]);
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  await once(child, 'close');
  return readPings(text);
}

/** What ping(8) prints at its end. */
export function readPings(text: string): Pings {
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(text) ?? [];
  const duplicates = Number(/\+(\d+) duplicates/.exec(text)?.[1] ?? 0);
  return { sent: Number(sent), received: Number(received), duplicates };
}

/** Prints the program's result, for `runInUml`. */
export function report<Result>(result: Result): void {
  console.log(`uml: result ${JSON.stringify(result)}`);
}
