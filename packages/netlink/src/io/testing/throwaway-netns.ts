import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { hideDirectory, unshareNetns } from '../libc.ts';

export { bindMount } from '../libc.ts';

/** The address of a device in the namespace that `enterThrowawayNetns` makes. */
export const throwawayAddress = '192.0.2.1';

/**
 * Moves the test process permanently into a network namespace of its own, which becomes its host namespace. VNIs and ports
 * then cannot conflict with the machine's, and everything that a test leaves is gone with the process. Returns the reason
 * if this is not possible. With CI=true it throws instead, so that no pipeline passes without these tests.
 */
export function enterThrowawayNetns(): string | undefined {
  try {
    unshareNetns();
    ip('link', 'add', 'under0', 'type', 'veth', 'peer', 'name', 'under1');
    ip('address', 'add', `${throwawayAddress}/24`, 'dev', 'under0');
    for (const link of ['lo', 'under0', 'under1']) ip('link', 'set', link, 'up', 'addrgenmode', 'none');
    return undefined;
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    return `needs root, network namespaces and iproute2: ${(error as Error).message}`;
  }
}

/**
 * For tests of code that makes and removes namespaces: /run/netns then contains only the namespaces of the test, and the
 * machine's namespaces are hidden.
 */
export function enterThrowawayDirectory(): void {
  mkdirSync('/run/netns', { recursive: true });
  hideDirectory('/run/netns');
}

/** Runs iproute2. */
export function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Runs a command in a namespace of /run/netns. */
export function execIn(netns: string, command: string, ...args: string[]): string {
  return ip('netns', 'exec', netns.slice(netns.lastIndexOf('/') + 1), command, ...args);
}
