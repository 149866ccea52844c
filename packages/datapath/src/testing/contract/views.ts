import { contains, Ip, interfaceAddress, lengthOf } from '@causeway/model';
import { ChangeSet } from '../../changes.ts';
import { newNamespace } from '../../draft.ts';
import type { WatchEvent } from '../../kernel.ts';
import type { Op } from '../../kinds/table.ts';
import type { NetnsPath } from '../../state.ts';
import { bridge, type ContractCase, container4, errnoOf, link, macs, must, overlay, pair, read, same } from './host.ts';

/** What a kernel shows: scopes, objects that the kernel makes by itself, watches, namespaces, the underlay. */
export const viewCases: readonly ContractCase[] = [
  {
    name: 'what the kernel makes by itself is invisible',
    async run(host) {
      const { netns, container } = await overlay(host);
      const gateways = new Set([interfaceAddress(Ip('10.66.0.1'), 16), interfaceAddress(Ip('fd66::1'), 64)]);
      for (const address of gateways) await must(host, { op: 'address.add', netns, dev: 'br0', address });
      const found = await read(host, netns);
      same([...found.links.keys()], ['br0', 'vxlan0', 'v1'], 'links');
      same(found.addresses, new Map([['br0', gateways]]), 'addresses');
      same(found.routes, new Map(), 'routes');
      same(found.fdb, new Map(), 'FDB');
      same(found.neighbours, new Map(), 'neighbours');
      same([...(await read(host, container)).links.keys()], ['eth0'], "the container's links");
    },
  },
  {
    name: 'a scope of links hides the others and what hangs on them',
    async run(host) {
      const { netns, container } = await overlay(host);
      const second = pair(container, { name: 'v2' });
      const peer = { netns: container, name: 'eth1', mac: macs.peer, mtu: 1450 };
      const other = interfaceAddress(Ip('10.77.0.9'), 16);
      const route = { dst: '10.88.0.0/16', gateway: '10.77.0.1', dev: 'eth1', metric: 5000 } as never;
      await must(
        host,
        { op: 'link.add', netns, link: { ...second, peer } },
        { op: 'link.set', netns: container, name: 'eth1', change: { up: true } },
        { op: 'address.add', netns: container, dev: 'eth1', address: other },
        { op: 'route.set', netns: container, route },
        { op: 'address.add', netns: container, dev: 'eth0', address: container4 },
      );
      const found = await read(host, container, { links: ['eth0'] });
      same([...found.links.keys()], ['eth0'], 'links');
      same(found.addresses, new Map([['eth0', new Set([container4])]]), 'addresses');
      same(found.routes, new Map(), 'routes');
      same((await read(host, container)).routes.size, 1, 'without a scope');
    },
  },
  {
    name: 'a watch reports changes by any process until it is closed',
    async run(host) {
      const { netns } = await overlay(host);
      const seen: WatchEvent[] = [];
      const watch = host.kernel.watch(netns, (event) => seen.push(event));
      const entry = { netns, dev: 'vxlan0', mac: macs.peer } as const;
      const expectReport = async (what: string, change: () => Promise<void>): Promise<void> => {
        seen.length = 0;
        await change();
        await host.until(() => seen.includes('changed')).catch(() => same(seen, ['changed'], what));
      };
      await expectReport('FDB', () => host.foreign({ op: 'fdb.set', ...entry, target: Ip('192.0.2.2') }));
      await expectReport('bridge FDB', () => host.foreign({ op: 'fdb.set', ...entry, dev: 'v1', target: 'port' }));
      await expectReport('neighbour', () => host.foreign({ op: 'neighbour.set', ...entry, ip: Ip('10.66.0.10') }));
      await expectReport('link', () => must(host, { op: 'link.set', netns, name: 'br0', change: { mtu: 1400 } }));
      await expectReport('address', () => must(host, { op: 'address.add', netns, dev: 'br0', address: container4 }));
      await expectReport('appended', () =>
        host.appendFdb(netns, 'vxlan0', '00:00:00:00:00:00' as never, Ip('192.0.2.9')),
      );
      watch?.close();
      seen.length = 0;
      await must(host, { op: 'link.delete', netns, name: 'br0' });
      same(seen, [], 'closed');
    },
  },
  {
    name: 'a watch names the links that change: by themselves, and by what becomes of their other ends',
    async run(host) {
      const { netns, container } = await overlay(host);
      const seen = new Set<string>();
      host.kernel.watch(netns, (_, { links }) => {
        for (const link of links) seen.add(link);
      });
      const named = async (link: string, op: Op): Promise<void> => {
        seen.clear();
        await must(host, op);
        await host.until(() => seen.has(link));
      };
      await named('br0', { op: 'link.set', netns, name: 'br0', change: { mtu: 1400 } });
      await named('v1', { op: 'link.set', netns: container, name: 'eth0', change: { up: false } });
      await named('v1', { op: 'link.delete', netns: container, name: 'eth0' });
    },
  },
  {
    name: 'a watch names the entries that change; a read of entries finds these, and of links only themselves',
    async run(host) {
      const { netns } = await overlay(host);
      const changes = new ChangeSet();
      host.kernel.watch(netns, (_, each) => changes.include(each));
      const [kept, deleted] = [Ip('10.66.0.10'), Ip('10.66.0.11')];
      const vtep = Ip('192.0.2.2');
      await host.foreign(
        { op: 'fdb.set', netns, dev: 'vxlan0', mac: macs.peer, target: vtep },
        { op: 'fdb.set', netns, dev: 'v1', mac: macs.container, target: 'port' },
        { op: 'neighbour.set', netns, dev: 'vxlan0', ip: kept, mac: macs.peer },
        { op: 'neighbour.set', netns, dev: 'vxlan0', ip: deleted, mac: macs.peer },
        { op: 'neighbour.delete', netns, dev: 'vxlan0', ip: deleted },
      );
      await host.until(() => changes.entries.neighbours?.get('vxlan0')?.has(deleted) === true);
      same(changes.entries.fdb?.get('vxlan0')?.has(macs.peer), true, 'tunnel');
      same(changes.entries.fdb?.get('v1')?.has(macs.container), true, 'port');
      same([...(changes.entries.neighbours?.get('vxlan0') ?? [])], [kept, deleted], 'neighbours');
      await must(host, { op: 'address.add', netns, dev: 'br0', address: container4 });
      const entries = {
        fdb: new Map([
          ['vxlan0', new Set([macs.peer, macs.bridge])],
          ['v1', new Set([macs.container, macs.peer])],
          ['gone', new Set([macs.peer])],
        ]),
        neighbours: new Map([['vxlan0', new Set([kept, deleted])]]),
      };
      same(
        await read(host, netns, { links: ['v1', 'gone'], entries }),
        {
          ...newNamespace(),
          links: new Map([['v1', await link(host, netns, 'v1')]]),
          fdb: new Map([
            ['vxlan0', new Map([[macs.peer, vtep]])],
            ['v1', new Map([[macs.container, 'port']])],
          ]),
          neighbours: new Map([['vxlan0', new Map([[kept, macs.peer]])]]),
        },
        'entries',
      );
    },
  },
  {
    name: 'the links, and of what belongs to them only what is asked for',
    async run(host) {
      const { netns, container } = await overlay(host);
      await must(host, { op: 'address.add', netns: container, dev: 'eth0', address: container4 });
      same(
        await read(host, container, { links: ['eth0'], of: [] }),
        { ...newNamespace(), links: (await read(host, container)).links },
        'container',
      );
      const [all, some] = [await read(host, container), await read(host, container, { of: ['addresses'] })];
      same(some, { ...newNamespace(), links: all.links, addresses: all.addresses }, 'addresses');
      same((await read(host, netns, { of: [] })).links, (await read(host, netns)).links, 'overlay');
    },
  },
  {
    name: 'a watch ends with its namespace; where there is none, there is no watch',
    async run(host) {
      const { netns } = await overlay(host);
      same(
        host.kernel.watch(host.freshPath(), () => undefined),
        undefined,
        'nothing to watch',
      );
      const seen: WatchEvent[] = [];
      host.kernel.watch(netns, (event) => seen.push(event));
      await host.destroy(netns);
      await host.until(() => seen.includes('gone'));
    },
  },
  {
    name: 'own namespaces are those named cw-; an identity is the namespace, not its path',
    async run(host) {
      const netns = host.freshPath();
      const container = await host.containerNetns();
      await must(host, { op: 'netns.add', netns }, { op: 'link.add', netns, link: bridge() });
      const own = await host.kernel.ownNetns();
      same([own.includes(netns), own.includes(host.freshPath())], [true, false], 'own');
      const [a, b] = [await host.kernel.identify(netns), await host.kernel.identify(container)];
      same(a !== undefined && b !== undefined && a !== b, true, 'different namespaces');
      same(await host.kernel.identify(netns), a, 'the same one again');
      same(await host.kernel.identify(host.freshPath()), undefined, 'nothing there');
      await must(host, { op: 'netns.delete', netns });
      same(await host.kernel.identify(netns), undefined, 'deleted');
    },
  },
  {
    name: 'an identity is never given again: not to the next namespace at the path, nor at another one',
    async run(host) {
      const identityOf = (path: NetnsPath): Promise<string | undefined> => host.kernel.identify(path);
      const path = await host.containerNetns();
      const seen = new Set([await identityOf(path)]);
      for (let times = 0; times < 20; times++) {
        await host.destroy(path);
        await must(host, { op: 'netns.add', netns: path });
        seen.add(await identityOf(path));
        seen.add(await identityOf(await host.containerNetns()));
      }
      same(seen.size, 41, 'identities');
      same(host.kernel.hasUniqueIdentities(), true, 'and the kernel says so');
    },
  },
  {
    name: 'nothing is read or changed where a path leads to another namespace than expected',
    async run(host) {
      const { netns, container } = await overlay(host);
      const before = (await host.kernel.identify(container)) ?? '';
      const good = new Map([[container, before]]);
      same((await host.kernel.read(container, { sysctls: [] }, good))?.links.size, 1, 'as expected');
      await host.destroy(container);
      await must(host, { op: 'netns.add', netns: container });
      same(await host.kernel.read(container, { sysctls: [] }, good), undefined, 'another one');
      const results = await host.kernel.apply(
        [
          { op: 'link.add', netns, link: pair(container, { name: 'v2' }) },
          { op: 'address.add', netns: container, dev: 'eth0', address: container4 },
          { op: 'link.delete', netns: container, name: 'eth0' },
          { op: 'sysctl.set', netns, key: 'net.ipv4.ip_forward', value: '1' },
        ],
        good,
      );
      same(results.map(errnoOf), ['ENOENT', 'ENOENT', 'ok', 'ok'], 'results');
      same((await read(host, container)).links.size, 0, 'links of the other one');
    },
  },
  {
    name: 'paths that lead to one namespace have one identity',
    async run(host) {
      const container = await host.containerNetns();
      const alias = await host.alias(container);
      same(await host.kernel.identify(alias), await host.kernel.identify(container), 'identity of the alias');
      await host.destroy(container);
      same(await host.kernel.identify(container), undefined, 'the path is gone');
      same((await host.kernel.identify(alias)) === undefined, false, 'the namespace is not');
    },
  },
  {
    name: 'the underlay is the device that carries the address',
    async run(host) {
      const underlay = await host.kernel.underlay(host.underlay);
      same(underlay?.address, host.underlay, 'address');
      same((underlay?.mtu ?? 0) > 0 && underlay?.device !== '', true, 'device and MTU');
      same(await host.kernel.underlay(Ip('203.0.113.77')), undefined, 'no device carries it');
    },
  },
  {
    name: 'routes of the host namespace: connected ones, each once, no default and no link-local one',
    async run(host) {
      const routes = await host.kernel.routes();
      same(routes.filter((route) => contains(route, host.underlay)).length, 1, 'the subnet of the underlay');
      same(
        routes.filter((route) => lengthOf(route) === 0 || route.startsWith('fe80:')),
        [],
        'default, link-local',
      );
      same(routes.join(), [...new Set(routes)].sort().join(), 'sorted, each once');
    },
  },
];
