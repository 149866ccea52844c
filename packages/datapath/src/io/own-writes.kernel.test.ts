import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Ip, Mac } from '@causeway/model';
import { describeOnKernel } from '@causeway/netlink/io/testing';
import { SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Changes, entriesOf } from '../changes.ts';
import type { Namespace, Op } from '../kinds/table.ts';
import type { NetnsPath } from '../state.ts';
import { macs, must, overlay } from '../testing/contract/host.ts';
import type { ContractHost } from '../testing/contract.ts';
import { realHost } from './testing/real-host.ts';

const rounds = 300;
/** Few keys, so that both sides write most of them. */
const keys = 24;
const vteps = ['192.0.2.2', '192.0.2.3'].map(Ip);
const peers = [macs.peer, Mac('02:42:0a:42:00:0b')];

type Entry = { readonly kind: 'tunnel' | 'port'; readonly mac: Mac } | { readonly kind: 'neighbour'; readonly ip: Ip };

describeOnKernel('a watch, while this and other processes write the same entries', () => {
  let host: ContractHost;
  let netns: NetnsPath;
  let random: SeededRandom;
  beforeEach(async () => {
    host = realHost();
    ({ netns } = await overlay(host));
  });
  afterEach(() => host.dispose());

  const pick = <Value>(from: readonly Value[]): Value => from[Math.floor(random.float() * from.length)] as Value;
  const entries = Array.from({ length: keys }, (_, n): Entry => {
    const mac = Mac(`02:00:00:00:00:${n.toString(16).padStart(2, '0')}`);
    if (n % 3 === 0) return { kind: 'neighbour', ip: Ip(`10.66.1.${n}`) };
    return { kind: n % 3 === 1 ? 'tunnel' : 'port', mac };
  });
  const nameOf = (entry: Entry): string =>
    entry.kind === 'neighbour' ? `vxlan0 ${entry.ip}` : `${entry.kind === 'tunnel' ? 'vxlan0' : 'v1'} ${entry.mac}`;
  const setOf = (entry: Entry): Op => {
    if (entry.kind === 'neighbour') {
      return { op: 'neighbour.set', netns, dev: 'vxlan0', ip: entry.ip, mac: pick(peers) };
    }
    const { mac } = entry;
    if (entry.kind === 'port') return { op: 'fdb.set', netns, dev: 'v1', mac, target: 'port' };
    return { op: 'fdb.set', netns, dev: 'vxlan0', mac, target: pick(vteps) };
  };
  const deleteOf = (entry: Entry): Op => {
    if (entry.kind === 'neighbour') return { op: 'neighbour.delete', netns, dev: 'vxlan0', ip: entry.ip };
    const { mac } = entry;
    if (entry.kind === 'port') return { op: 'fdb.delete', netns, dev: 'v1', mac, target: 'port' };
    // The delete matches any VTEP.
    return { op: 'fdb.delete', netns, dev: 'vxlan0', mac, target: Ip('0.0.0.0') };
  };
  const anyOp = (entry: Entry): Op => (random.float() < 0.6 ? setOf(entry) : deleteOf(entry));
  const someOps = (most: number): [Entry, Op][] =>
    Array.from({ length: 1 + Math.floor(random.float() * most) }, () => pick(entries)).map((entry) => [
      entry,
      anyOp(entry),
    ]);

  it('reports every entry that differs from the last write of this process', { timeout: 120_000 }, async () => {
    const seed = Number(process.env['CAUSEWAY_SEED'] ?? '1');
    random = new SeededRandom(seed);
    const reported = new Set<string>();
    const written = new Map<string, string>();
    host.kernel.watch(netns, (_, changes) => {
      for (const name of namesIn(changes)) reported.add(name);
    });
    const other = anotherProcess(netns, (seed + 1) | 0);
    for (let round = 0; round < rounds; round++) {
      const own = someOps(60);
      for (const [entry, op] of own) {
        reported.delete(nameOf(entry));
        written.set(nameOf(entry), stateAfter(op));
      }
      const foreign = someOps(4).map(([, op]) => op);
      const both = [must(host, ...own.map(([, op]) => op)), host.foreign(...foreign)];
      await Promise.all(random.float() < 0.5 ? both : both.reverse());
    }
    await other.end();
    // Both sides wrote at random. For this entry the other process certainly writes last.
    const taken: Entry = { kind: 'tunnel', mac: Mac('02:00:00:00:00:01') };
    const elsewhere = vteps.find((vtep) => vtep !== written.get(nameOf(taken))) ?? Ip('192.0.2.4');
    await host.foreign({ op: 'fdb.set', netns, dev: 'vxlan0', mac: taken.mac, target: elsewhere });
    const marker = Mac('02:ff:00:00:00:01');
    await host.foreign({ op: 'fdb.set', netns, dev: 'vxlan0', mac: marker, target: Ip('192.0.2.2') });
    await host.until(() => reported.has(`vxlan0 ${marker}`));
    const found = statesIn(await host.kernel.read(netns, { sysctls: [] }));
    const unreported = [...written].filter(
      ([name, state]) => (found.get(name) ?? 'absent') !== state && !reported.has(name),
    );
    expect(unreported, `seed ${seed}`).toEqual([]);
    expect(found.get(nameOf(taken)), 'the last word of another process').toBe(elsewhere);
    expect(written.get(nameOf(taken)), 'the last word of this process').not.toBe(elsewhere);
  });
});

/** iproute2, writing the same tunnel and port entries during the whole test. */
function anotherProcess(netns: NetnsPath, seed: number): { end(): Promise<void> } {
  const random = new SeededRandom(seed);
  const child = spawn(
    'ip',
    ['netns', 'exec', netns.slice(netns.lastIndexOf('/') + 1), 'bridge', '-force', '-batch', '-'],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  );
  const line = (): string => {
    const n = Math.floor(random.float() * keys);
    const mac = `02:00:00:00:00:${n.toString(16).padStart(2, '0')}`;
    const way = random.float() < 0.5 ? 'replace' : 'del';
    if (n % 3 === 2) return `fdb ${way} ${mac} dev v1 master static\n`;
    return `fdb ${way} ${mac} dev vxlan0 self dst ${vteps[n % 2]}\n`;
  };
  const timer = setInterval(() => child.stdin.write(Array.from({ length: 5 }, line).join('')), 3);
  return {
    end: async () => {
      clearInterval(timer);
      child.stdin.end();
      await once(child, 'close');
    },
  };
}

function stateAfter(op: Op): string {
  if (op.op === 'fdb.set') return String(op.target);
  return op.op === 'neighbour.set' ? op.mac : 'absent';
}

function namesIn({ entries }: Changes): string[] {
  return entriesOf(entries).flatMap(([, of]) => [...of].flatMap(([dev, on]) => [...on].map((key) => `${dev} ${key}`)));
}

function statesIn(found: Namespace | undefined): Map<string, string> {
  const states = new Map<string, string>();
  for (const of of [found?.fdb, found?.neighbours]) {
    for (const [dev, on] of of ?? []) for (const [key, state] of on) states.set(`${dev} ${key}`, String(state));
  }
  return states;
}
