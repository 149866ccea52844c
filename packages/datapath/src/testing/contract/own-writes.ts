import { Ip, Mac } from '@causeway/model';
import { ChangeSet } from '../../changes.ts';
import type { Op } from '../../kinds/table.ts';
import { hostNetns, type NetnsPath } from '../../state.ts';
import { block } from '../xfrm-fixtures.ts';
import { type ContractCase, type ContractHost, macs, must, overlay, pair, quietPort, same } from './host.ts';
import { namespace } from './xfrm-policy.ts';

const [vtep, otherVtep] = [Ip('192.0.2.2'), Ip('192.0.2.3')];
const [ip, other] = [Ip('10.66.0.10'), Mac('02:42:0a:42:00:0b')];

/** A watch of what this kernel has written itself: changes by others are reported, and nothing else. */
export const ownWriteCases: readonly ContractCase[] = [
  {
    name: 'a watch is silent about entries that this kernel writes: new, changed, set again, deleted, deleted again',
    async run(host) {
      const { netns, reported } = await watched(host);
      const tunnel = { netns, dev: 'vxlan0', mac: macs.peer } as const;
      const port = { netns, dev: 'v1', mac: macs.container, target: 'port' } as const;
      await must(
        host,
        { op: 'fdb.set', ...tunnel, target: vtep },
        { op: 'fdb.set', ...port },
        { op: 'neighbour.set', netns, dev: 'vxlan0', ip, mac: macs.peer },
      );
      same(await reported(), [], 'new');
      await must(
        host,
        { op: 'fdb.set', ...tunnel, target: otherVtep },
        { op: 'neighbour.set', netns, dev: 'vxlan0', ip, mac: other },
        { op: 'fdb.set', ...port },
      );
      same(await reported(), [], 'changed, or set again');
      const deletes: Op[] = [
        { op: 'fdb.delete', ...tunnel, target: otherVtep },
        { op: 'fdb.delete', ...port },
        { op: 'neighbour.delete', netns, dev: 'vxlan0', ip },
      ];
      await must(host, ...deletes);
      same(await reported(), [], 'deleted');
      await must(host, ...deletes);
      same(await reported(), [], 'deleted again');
    },
  },
  {
    name: 'a watch reports changes of another process to entries right after this kernel has written them',
    async run(host) {
      const { netns, reported } = await watched(host);
      const tunnel = { netns, dev: 'vxlan0', mac: macs.peer } as const;
      const port = { netns, dev: 'v1', mac: macs.container, target: 'port' } as const;
      const neighbour = { netns, dev: 'vxlan0', ip } as const;
      await must(
        host,
        { op: 'fdb.set', ...tunnel, target: vtep },
        { op: 'fdb.set', ...port },
        { op: 'neighbour.set', ...neighbour, mac: macs.peer },
      );
      await host.foreign(
        { op: 'fdb.set', ...tunnel, target: otherVtep },
        { op: 'fdb.delete', ...port },
        { op: 'neighbour.delete', ...neighbour },
      );
      same(await reported(), [`vxlan0 ${macs.peer}`, `v1 ${macs.container}`, `vxlan0 ${ip}`], 'changed, deleted');
      await must(host, { op: 'fdb.delete', ...tunnel, target: otherVtep });
      await host.foreign({ op: 'fdb.set', ...tunnel, target: vtep });
      same(await reported(), [`vxlan0 ${macs.peer}`], 'made again');
    },
  },
  {
    name: 'a watch reports an entry of another process where a write of this kernel is refused',
    async run(host) {
      const { netns, reported } = await watched(host);
      const entry = { netns, dev: 'vxlan0', mac: macs.peer } as const;
      await host.kernel.apply([{ op: 'fdb.set', ...entry, target: 'port' }]);
      await host.kernel.apply([{ op: 'fdb.set', ...entry, target: Ip('2001:db8::1') }]);
      await host.foreign({ op: 'fdb.set', ...entry, target: vtep });
      same((await reported()).includes(`vxlan0 ${macs.peer}`), true, 'reported');
    },
  },
  {
    name: 'a watch of the host namespace reports policies that another program changes, and not those that this kernel changes',
    async run(host) {
      let reports = 0;
      const watch = host.kernel.watch(hostNetns, (_, { more }) => {
        reports += more ? 1 : 0;
      });
      const policies = [block('in'), block('in', 6)].map((policy) => ({ netns: hostNetns, policy }) as const);
      for (const each of policies) await must(host, { op: 'xfrmPolicy.set', ...each });
      for (const each of policies) await must(host, { op: 'xfrmPolicy.delete', ...each });
      // It takes time: what was to be reported is reported by then.
      const elsewhere = await namespace(host);
      await host.foreign({ op: 'xfrmPolicy.set', netns: elsewhere, policy: block('in') });
      same(reports, 0, 'own writes');
      const [theirs] = policies;
      if (theirs === undefined) throw new TypeError('there are policies');
      await host.foreign({ op: 'xfrmPolicy.set', ...theirs });
      await host.until(() => reports > 0);
      watch?.close();
      await must(host, { op: 'xfrmPolicy.delete', ...theirs });
    },
  },
  {
    name: 'a watch is silent about a pair that this kernel makes',
    async run(host) {
      const { netns, reported, links } = await watched(host);
      const ops = await newPair(host, netns);
      // One by one: events may be read after each op.
      for (const op of ops) await must(host, op);
      same(await reported(), [], 'entries');
      // A second pair is made after the first has its carrier, which the kernel may report late.
      await must(host, ...(await newPair(host, netns, 'v3')));
      same(await reported(), [], 'entries of the second');
      same([...links], [], 'links');
    },
  },
  {
    name: 'a watch reports changes of another process to a pair right after this kernel has made it',
    async run(host) {
      const { netns, links, restarted } = await watched(host);
      const changes: readonly ((container: NetnsPath) => Op)[] = [
        () => ({ op: 'link.set', netns, name: 'v2', change: { mtu: 1300 } }),
        () => ({ op: 'link.set', netns, name: 'v2', change: { bridgePort: { ...quietPort, learning: true } } }),
        () => ({ op: 'link.set', netns, name: 'v2', change: { up: false } }),
        () => ({ op: 'link.delete', netns, name: 'v2' }),
        (container) => ({ op: 'link.set', netns: container, name: 'eth0', change: { up: false } }),
        (container) => ({ op: 'link.delete', netns: container, name: 'eth0' }),
      ];
      for (const change of changes) {
        restarted();
        const container = await host.containerNetns();
        await must(host, ...pairOps(netns, container, 'v2'));
        const op = change(container);
        await host.foreign(op);
        await host.until(() => links.has('v2')).catch(() => same([...links], ['v2'], JSON.stringify(op)));
        await must(host, { op: 'link.delete', netns, name: 'v2' });
        await host.until(() => links.has('v2'));
      }
    },
  },
  {
    name: 'a watch reports a pair that this kernel has made if its other end does not come up',
    async run(host) {
      const { netns, links } = await watched(host);
      const [make, ...rest] = await newPair(host, netns);
      if (make !== undefined) await must(host, make, ...rest.filter(({ op }) => op === 'fdb.set'));
      await host.until(() => links.has('v2'));
    },
  },
];

/** The ops that make a pair into a new container, both ends up. */
async function newPair(host: ContractHost, netns: NetnsPath, name = 'v2'): Promise<readonly Op[]> {
  return pairOps(netns, await host.containerNetns(), name);
}

function pairOps(netns: NetnsPath, container: NetnsPath, name: string): readonly Op[] {
  return [
    { op: 'link.add', netns, link: pair(container, { name, bridgePort: quietPort }) },
    { op: 'link.set', netns, name, change: { bridgePort: quietPort } },
    { op: 'link.set', netns: container, name: 'eth0', change: { up: true } },
    { op: 'fdb.set', netns, dev: name, mac: macs.container, target: 'port' },
  ];
}

/**
 * An overlay with a watch; `reported` returns the entries that were reported since its last call, `links` are the links that
 * were reported since `restarted` was called.
 */
async function watched(host: ContractHost): Promise<Watched> {
  const { netns } = await overlay(host);
  let changes = new ChangeSet();
  const links = new Set<string>();
  host.kernel.watch(netns, (_, each) => {
    changes.include(each);
    for (const link of each.links) links.add(link);
  });
  let markers = 0;
  /** Changes that were made before the marker are reported before the marker or with it. */
  const reported = async (): Promise<string[]> => {
    const marker = Mac(`02:ff:00:00:00:0${++markers}`);
    await host.foreign({ op: 'fdb.set', netns, dev: 'vxlan0', mac: marker, target: vtep });
    await host.until(() => changes.entries.fdb?.get('vxlan0')?.has(marker) === true);
    const named = [...namesOf(changes.entries.fdb), ...namesOf(changes.entries.neighbours)];
    changes = new ChangeSet();
    return named.filter((name) => name !== `vxlan0 ${marker}`);
  };
  await reported();
  const restarted = (): void => links.clear();
  restarted();
  return { netns, reported, links, restarted };
}

interface Watched {
  readonly netns: NetnsPath;
  readonly reported: () => Promise<string[]>;
  readonly links: ReadonlySet<string>;
  readonly restarted: () => void;
}

function namesOf(keys: ReadonlyMap<string, ReadonlySet<string>> = new Map()): string[] {
  return [...keys].flatMap(([dev, of]) => [...of].map((key) => `${dev} ${key}`));
}
