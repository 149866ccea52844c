// What the programs in User-Mode Linux have in common: commands, and pings in a host's namespace.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

export const run = (command, ...args) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
export const ip = (...args) => run('ip', ...args);

/** Pings an address from a namespace; resolves with the packets sent, received and duplicate. */
export async function ping(netns, address, ...options) {
  const child = spawn('ip', ['netns', 'exec', netns, 'ping', '-q', '-W', '1', ...options, address]);
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  await once(child, 'close');
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(text) ?? [];
  const duplicates = Number(/\+(\d+) duplicates/.exec(text)?.[1] ?? 0);
  return { sent: Number(sent), received: Number(received), duplicates };
}
