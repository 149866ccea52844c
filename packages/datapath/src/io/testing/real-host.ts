import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Ip, type Mac, Vni } from '@causeway/model';
import type { NetnsPath } from '../../state.ts';
import type { ContractHost } from '../../testing/contract.ts';
import { createKernel } from '../kernel.ts';
import { bindMount, hideDirectory, unshareNetns } from '../libc.ts';
import { createNetns, deleteNetns, identifyNetns } from '../netns.ts';

const underlay = Ip('192.0.2.1');
/** Milliseconds. Namespaces die, and carriers are told of, on workers of the kernel that all its namespaces share. */
const patience = 20_000;
let paths = 0;
let vnis = 5000;

/**
 * Moves the test process, for good, into a network namespace of its own, which is then its home: VNIs and ports can't
 * meet those of the machine, and what a test leaves goes with the process. Returns why it can't be done, if so; under
 * CI=true it throws instead, so that no pipeline passes without these tests.
 */
export function enterThrowawayHome(): string | undefined {
  try {
    unshareNetns();
    ip('link', 'add', 'under0', 'type', 'veth', 'peer', 'name', 'under1');
    ip('address', 'add', `${underlay}/24`, 'dev', 'under0');
    for (const link of ['lo', 'under0', 'under1']) ip('link', 'set', link, 'up', 'addrgenmode', 'none');
    return undefined;
  } catch (error) {
    if (process.env.CI === 'true') throw error;
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

/** A command inside a namespace. */
export function execIn(netns: NetnsPath, command: string, ...args: string[]): string {
  return ip('netns', 'exec', name(netns), command, ...args);
}

/** The real kernel, and iproute2 as the somebody behind its back. */
export function realHost(): ContractHost {
  const kernel = createKernel();
  // It shares nothing with the first, and has no watches: to that, it is another process.
  const other = createKernel();
  const made: NetnsPath[] = [];
  const freshPath = (): NetnsPath => {
    const path = `/run/netns/cw-test-${process.pid}-${paths++}` as NetnsPath;
    made.push(path);
    return path;
  };
  return {
    kernel,
    underlay,
    freshPath,
    freshVni: () => Vni(vnis++),
    containerNetns: async () => {
      const path = freshPath();
      createNetns(path);
      return path;
    },
    alias: async (netns) => {
      const path = freshPath();
      writeFileSync(path, '');
      bindMount(netns, path);
      return path;
    },
    destroy: async (netns) => deleteNetns(netns),
    foreign: async (...ops) => {
      for (const [index, result] of (await other.apply(ops)).entries()) {
        if (!result.ok) throw new Error(`${ops[index]?.op} failed: ${result.errno} ${result.message}`);
      }
    },
    appendFdb: async (netns, dev: string, mac: Mac, vtep: Ip) => {
      execIn(netns, 'bridge', 'fdb', 'append', mac, 'dev', dev, 'self', 'dst', vtep);
    },
    until: async (holds) => {
      const deadline = performance.now() + patience;
      while (!(await holds())) {
        if (performance.now() > deadline) throw new Error('it never came to hold');
        await sleep(5);
      }
    },
    dispose: async () => {
      kernel.close();
      other.close();
      for (const path of made) if (identifyNetns(path) !== undefined) deleteNetns(path);
    },
  };
}

function name(netns: NetnsPath): string {
  return netns.slice(netns.lastIndexOf('/') + 1);
}
