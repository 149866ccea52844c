import { Ip, interfaceAddress, Mac, Prefix } from '@causeway/model';
import type { Op } from '../../op.ts';
import type { NetnsPath } from '../../state.ts';
import {
  type ContractCase,
  container4,
  container6,
  errnoOf,
  link,
  macs,
  must,
  outcome,
  overlay,
  read,
  same,
  v4,
  v6,
} from './host.ts';

const zeroMac = Mac('00:00:00:00:00:00');

/** Addresses, routes, neighbours, FDB entries, sysctls. */
export const entryCases: readonly ContractCase[] = [
  {
    name: 'addresses of both families; twice is EEXIST',
    async run(host) {
      const { container: netns } = await overlay(host);
      const add = (address: typeof container4) => outcome(host, { op: 'address.add', netns, dev: 'eth0', address });
      same([await add(container4), await add(container6)], ['ok', 'ok'], 'first');
      same([await add(container4), await add(container6)], ['EEXIST', 'EEXIST'], 'again');
      await must(host, { op: 'address.delete', netns, dev: 'eth0', address: container6 });
      same((await read(host, netns)).addresses.get('eth0'), new Set([container4]), 'one deleted');
    },
  },
  {
    name: 'promote_secondaries: deleting an address keeps the others of its subnet',
    async run(host) {
      const { netns } = await overlay(host);
      const [first, second] = [interfaceAddress(Ip('10.66.0.1'), 16), interfaceAddress(Ip('10.66.0.2'), 16)];
      await must(
        host,
        { op: 'sysctl.set', netns, key: 'net.ipv4.conf.all.promote_secondaries', value: '1' },
        { op: 'address.add', netns, dev: 'br0', address: first },
        { op: 'address.add', netns, dev: 'br0', address: second },
        { op: 'address.delete', netns, dev: 'br0', address: first },
      );
      same((await read(host, netns)).addresses.get('br0'), new Set([second]), 'left');
    },
  },
  {
    name: 'the last IPv4 address of a link takes its IPv4 routes and neighbours along, and nothing else',
    async run(host) {
      const { netns } = await overlay(host);
      const dev = 'vxlan0';
      const address = container4;
      const route = { ...v4, dev, metric: 5000 };
      await must(
        host,
        { op: 'address.add', netns, dev, address },
        { op: 'route.set', netns, route },
        { op: 'fdb.set', netns, dev, mac: macs.peer, target: Ip('192.0.2.2') },
        { op: 'neighbour.set', netns, dev, ip: Ip('10.66.0.10'), mac: macs.peer },
        { op: 'neighbour.set', netns, dev, ip: Ip('fd66::a'), mac: macs.peer },
        { op: 'address.delete', netns, dev, address },
      );
      const found = await read(host, netns);
      same(found.routes, new Map(), 'routes');
      same(found.neighbours, new Map([[dev, new Map([[Ip('fd66::a'), macs.peer]])]]), 'neighbours');
      same(found.fdb.get(dev)?.size, 1, 'FDB');
    },
  },
  {
    name: 'routes: replaced by destination and metric, side by side in different metrics',
    async run(host) {
      const { container: netns } = await overlay(host);
      const dev = 'eth0';
      await must(
        host,
        { op: 'address.add', netns, dev, address: container4 },
        { op: 'address.add', netns, dev, address: container6 },
      );
      for (const [{ dst, gateway }, other] of [
        [v4, Ip('10.66.0.3')],
        [v6, Ip('fd66::3')],
      ] as const) {
        const ours = { dst, gateway, dev, metric: 5000 };
        await must(host, { op: 'route.set', netns, route: { ...ours, gateway: other } });
        await must(host, { op: 'route.set', netns, route: ours });
        same((await read(host, netns)).routes.get(dst), ours, 'replaced');
        const lower = { ...ours, gateway: other, metric: 4000 };
        await must(host, { op: 'route.set', netns, route: lower });
        same((await read(host, netns)).routes.get(dst), lower, 'the lowest metric is found');
        await must(host, { op: 'route.delete', netns, route: lower });
        same((await read(host, netns)).routes.get(dst), ours, 'the other one is still there');
      }
      const onLink = { dst: Prefix('10.99.0.0/16'), dev, metric: 7 };
      await must(host, { op: 'route.set', netns, route: onLink });
      same((await read(host, netns)).routes.get(onLink.dst), onLink, 'on link');
    },
  },
  {
    name: 'a gateway nobody can reach is refused',
    async run(host) {
      const { container: netns } = await overlay(host);
      const dev = 'eth0';
      await must(host, { op: 'address.add', netns, dev, address: container4 });
      const via = (dst: Prefix, gateway: Ip) =>
        outcome(host, { op: 'route.set', netns, route: { dst, gateway, dev, metric: 5000 } });
      same(await via(v4.dst, Ip('10.67.0.1')), 'ENETUNREACH', 'IPv4');
      same(await via(v6.dst, Ip('fd67::1')), 'EHOSTUNREACH', 'IPv6');
    },
  },
  {
    name: 'neighbours of both families are replaced, not doubled',
    async run(host) {
      const { netns } = await overlay(host);
      const dev = 'vxlan0';
      for (const ip of [Ip('10.66.0.10'), Ip('fd66::a')]) {
        await must(host, { op: 'neighbour.set', netns, dev, ip, mac: macs.hostEnd });
        await must(host, { op: 'neighbour.set', netns, dev, ip, mac: macs.peer });
      }
      const both = new Map([Ip('10.66.0.10'), Ip('fd66::a')].map((ip) => [ip, macs.peer]));
      same((await read(host, netns)).neighbours, new Map([[dev, both]]), 'found');
      await must(host, { op: 'neighbour.delete', netns, dev, ip: Ip('fd66::a') });
      same((await read(host, netns)).neighbours.get(dev)?.size, 1, 'one deleted');
    },
  },
  {
    name: 'a unicast MAC has one VTEP: the last one set',
    async run(host) {
      const { netns } = await overlay(host);
      const entry = { op: 'fdb.set', netns, dev: 'vxlan0', mac: macs.peer } as const;
      await must(host, { ...entry, target: Ip('192.0.2.2') }, { ...entry, target: Ip('192.0.2.3') });
      const found = await read(host, netns);
      same(found.fdb.get('vxlan0'), new Map([[macs.peer, '192.0.2.3']]), 'found');
      same(await outcome(host, { ...entry, target: Ip('fd00::2') }), 'EAFNOSUPPORT', 'VTEP of the other family');
    },
  },
  {
    name: 'that a bridge takes its tunnel for the way to a MAC is no entry of the tunnel',
    async run(host) {
      const { netns } = await overlay(host);
      const entry = { netns, dev: 'vxlan0', mac: macs.peer } as const;
      const vtep = Ip('192.0.2.2');
      const entries = async () => (await read(host, netns)).fdb.get('vxlan0') ?? new Map();
      await must(host, { op: 'fdb.set', ...entry, target: vtep }, { op: 'fdb.set', ...entry, target: 'port' });
      same(await entries(), new Map([[macs.peer, vtep]]), 'both');
      await must(host, { op: 'fdb.delete', ...entry, target: vtep });
      same(await entries(), new Map(), 'without a VTEP');
    },
  },
  {
    name: 'a group MAC cannot be set; its VTEPs, appended by somebody, are found and deleted together',
    async run(host) {
      const { netns } = await overlay(host);
      const dev = 'vxlan0';
      const vteps = [Ip('192.0.2.2'), Ip('192.0.2.3')];
      same(
        await outcome(host, { op: 'fdb.set', netns, dev, mac: zeroMac, target: vteps[0] as Ip }),
        'EOPNOTSUPP',
        'set',
      );
      for (const vtep of vteps) await host.appendFdb(netns, dev, zeroMac, vtep);
      const found = (await read(host, netns)).fdb.get(dev)?.get(zeroMac);
      same(found, vteps, 'found');
      await must(host, { op: 'fdb.delete', netns, dev, mac: zeroMac, target: found ?? [] });
      same((await read(host, netns)).fdb.get(dev) ?? new Map(), new Map(), 'deleted');
    },
  },
  {
    name: 'a static entry of a bridge port survives link down and goes with the bridge',
    async run(host) {
      const { netns } = await overlay(host);
      const entry = { netns, dev: 'v1', mac: macs.container, target: 'port' } as const;
      const entries = async () => (await read(host, netns)).fdb.get('v1') ?? new Map();
      await must(host, { op: 'fdb.set', ...entry }, { op: 'fdb.set', ...entry });
      await must(host, { op: 'link.set', netns, name: 'v1', change: { up: false } });
      same(await entries(), new Map([[macs.container, 'port']]), 'after link down');
      await must(host, { op: 'link.delete', netns, name: 'br0' });
      same(await entries(), new Map(), 'after the bridge went');
      same((await link(host, netns, 'v1'))?.kind, 'veth', 'the link itself stays');
      same(await outcome(host, { op: 'fdb.set', ...entry }), 'EOPNOTSUPP', 'not a port any more');
    },
  },
  {
    name: "a bridge's port flags need a bridge",
    async run(host) {
      const { netns } = await overlay(host);
      const bridgePort = { master: 'br9', learning: false, flood: false };
      same(
        await outcome(host, { op: 'link.set', netns, name: 'v1', change: { bridgePort } }),
        'ENODEV',
        'no such bridge',
      );
    },
  },
  {
    name: 'sysctls: read, set, those of interfaces come and go with them, unknown ones are ENOENT',
    async run(host) {
      const { netns, container } = await overlay(host);
      const own = 'net.ipv6.conf.eth0.accept_ra';
      const unknown = 'net.ipv4.conf.eth7.send_redirects';
      await must(host, { op: 'sysctl.set', netns, key: 'net.ipv4.ip_forward', value: '1' });
      await must(host, { op: 'sysctl.set', netns: container, key: own, value: '0' });
      const found = (await read(host, netns, { sysctls: ['net.ipv4.ip_forward', unknown] })).sysctls;
      same(found, new Map([['net.ipv4.ip_forward', '1']]), 'of the namespace');
      const sysctls = [own, 'net.ipv4.ip_forward'];
      const inside = (await read(host, container, { sysctls })).sysctls;
      same(inside, new Map([[own, '0'], ['net.ipv4.ip_forward', '0']]), 'of another namespace'); // biome-ignore format: one line
      same(await outcome(host, { op: 'sysctl.set', netns, key: unknown, value: '0' }), 'ENOENT', 'unknown');
    },
  },
  {
    name: 'deleting what is absent succeeds, whatever is absent with it',
    async run(host) {
      const { netns } = await overlay(host);
      const gone = host.freshPath();
      for (const op of [
        ...deletes(netns, 'br0'),
        ...deletes(netns, 'v1'),
        ...deletes(netns, 'vxlan0'),
        ...deletes(netns, 'none'),
        ...deletes(gone, 'none'),
      ]) {
        same(await outcome(host, op), 'ok', JSON.stringify(op));
      }
    },
  },
  {
    name: 'anything else on what is absent fails: ENODEV for a link, ENOENT for a namespace',
    async run(host) {
      const { netns } = await overlay(host);
      const gone = host.freshPath();
      for (const op of sets(netns)) same(await outcome(host, op), 'ENODEV', JSON.stringify(op));
      for (const op of sets(gone)) same(await outcome(host, op), 'ENOENT', JSON.stringify(op));
    },
  },
  {
    name: 'a failure in the middle of a long run stops nothing, and is told by its index',
    async run(host) {
      const { netns } = await overlay(host);
      const ops = Array.from({ length: 1500 }, (_, n): Op => {
        const ip = Ip(`10.66.${n >> 8}.${n & 255}`);
        return { op: 'neighbour.set', netns, dev: n === 700 ? 'none' : 'vxlan0', ip, mac: macs.peer };
      });
      const results = await host.kernel.apply(ops);
      same(results.length, ops.length, 'results');
      const failed = results.flatMap((result, n) => (result.ok ? [] : [`${n} ${errnoOf(result)}`]));
      same(failed, ['700 ENODEV'], 'failed');
      same((await read(host, netns)).neighbours.get('vxlan0')?.size, 1499, 'programmed');
    },
  },
];

function deletes(netns: NetnsPath, dev: string): Op[] {
  return [
    { op: 'link.delete', netns, name: 'none' },
    { op: 'address.delete', netns, dev, address: container4 },
    { op: 'address.delete', netns, dev, address: container6 },
    { op: 'route.delete', netns, route: { ...v4, dev, metric: 5000 } },
    { op: 'route.delete', netns, route: { ...v6, dev, metric: 5000 } },
    { op: 'neighbour.delete', netns, dev, ip: Ip('10.66.0.10') },
    { op: 'neighbour.delete', netns, dev, ip: Ip('fd66::a') },
    { op: 'fdb.delete', netns, dev, mac: macs.peer, target: Ip('192.0.2.2') },
    { op: 'fdb.delete', netns, dev, mac: macs.peer, target: 'port' },
  ];
}

function sets(netns: NetnsPath): Op[] {
  const dev = 'none';
  return [
    { op: 'link.set', netns, name: dev, change: { up: true } },
    { op: 'address.add', netns, dev, address: container4 },
    { op: 'route.set', netns, route: { ...v4, dev, metric: 5000 } },
    { op: 'neighbour.set', netns, dev, ip: Ip('10.66.0.10'), mac: macs.peer },
    { op: 'fdb.set', netns, dev, mac: macs.peer, target: 'port' },
    { op: 'fdb.set', netns, dev, mac: macs.peer, target: Ip('192.0.2.2') },
  ];
}
