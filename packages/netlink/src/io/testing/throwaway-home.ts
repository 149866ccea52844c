import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { hideDirectory, unshareNetns } from '../libc.ts';

export { bindMount } from '../libc.ts';

/** The address of a device in the home that `enterThrowawayHome` moves to. */
export const throwawayAddress = '192.0.2.1';

/**
 * Moves the test process, for good, into a network namespace of its own, which is then its home: VNIs and ports can't
 * meet those of the machine, and what a test leaves goes with the process. Returns why it can't be done, if so; under
 * CI=true it throws instead, so that no pipeline passes without these tests.
 */
export function enterThrowawayHome(): string | undefined {
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
 * For tests of what makes and removes namespaces by itself: those it finds in /run/netns are its own then, and the
 * machine's are out of its reach.
 */
export function enterThrowawayDirectory(): void {
  mkdirSync('/run/netns', { recursive: true });
  hideDirectory('/run/netns');
}

/** iproute2. */
export function ip(...args: string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', maxBuffer: 1 << 26, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A command inside a namespace of /run/netns. */
export function execIn(netns: string, command: string, ...args: string[]): string {
  return ip('netns', 'exec', netns.slice(netns.lastIndexOf('/') + 1), command, ...args);
}
