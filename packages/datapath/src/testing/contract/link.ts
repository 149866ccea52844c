import { Ip } from '@causeway/model';
import type { Veth } from '../../kinds/link/link.ts';
import {
  bridge,
  type ContractCase,
  container4,
  container6,
  contractPort,
  link,
  macs,
  must,
  newPort,
  outcome,
  overlay,
  pair,
  quietPort,
  read,
  same,
  v4,
  v6,
  vxlan,
} from './host.ts';

/** Namespaces and links, and what a change of a link removes with it. */
export const linkCases: readonly ContractCase[] = [
  {
    name: 'a namespace is made once and deleted as often as one likes',
    async run(host) {
      const netns = host.freshPath();
      same(await host.kernel.read(netns, { sysctls: [] }), undefined, 'before');
      same(await outcome(host, { op: 'netns.add', netns }), 'ok', 'add');
      same(await outcome(host, { op: 'netns.add', netns }), 'EEXIST', 'add again');
      same((await read(host, netns)).links, new Map(), 'lo is invisible');
      same(await outcome(host, { op: 'netns.delete', netns }), 'ok', 'delete');
      same(await outcome(host, { op: 'netns.delete', netns }), 'ok', 'delete again');
      same(await host.kernel.read(netns, { sysctls: [] }), undefined, 'after');
    },
  },
  {
    name: 'a link is found as it was made',
    async run(host) {
      const netns = host.freshPath();
      const tunnel = vxlan(host);
      await must(host, { op: 'netns.add', netns }, { op: 'link.add', netns, link: bridge({ up: false }) });
      const withPort = vxlan(host, { name: 'vxlan1', sourcePort: 4793 });
      await must(host, { op: 'link.add', netns, link: tunnel }, { op: 'link.add', netns, link: withPort });
      same(await link(host, netns, 'br0'), bridge({ up: false }), 'bridge, down');
      same(await link(host, netns, 'vxlan0'), tunnel, 'vxlan');
      same(await link(host, netns, 'vxlan1'), withPort, 'vxlan with a source port');
    },
  },
  {
    name: 'a new port learns and floods until its flags are set',
    async run(host) {
      const netns = host.freshPath();
      const tunnel = vxlan(host, { bridgePort: quietPort });
      await must(host, { op: 'netns.add', netns }, { op: 'link.add', netns, link: bridge() });
      await must(host, { op: 'link.add', netns, link: tunnel });
      same(await link(host, netns, 'vxlan0'), { ...tunnel, bridgePort: newPort }, 'new');
      await must(host, { op: 'link.set', netns, name: 'vxlan0', change: { bridgePort: quietPort } });
      same(await link(host, netns, 'vxlan0'), tunnel, 'set');
    },
  },
  {
    name: 'link.set makes a link a port of a bridge',
    async run(host) {
      const netns = host.freshPath();
      const tunnel = vxlan(host);
      await must(host, { op: 'netns.add', netns }, { op: 'link.add', netns, link: bridge() });
      await must(host, { op: 'link.add', netns, link: tunnel });
      await must(host, { op: 'link.set', netns, name: 'vxlan0', change: { bridgePort: quietPort } });
      same(await link(host, netns, 'vxlan0'), { ...tunnel, bridgePort: quietPort }, 'joined');
    },
  },
  {
    name: "a veth pair is made in one go: one end here, the other, down, in the container's namespace",
    async run(host) {
      const { netns, container } = await overlay(host);
      const hostEnd: Veth = { kind: 'veth', name: 'v1', mac: macs.hostEnd, mtu: 1450, up: true, bridgePort: quietPort };
      same(await link(host, netns, 'v1'), hostEnd, 'host end');
      const other = await host.containerNetns();
      await must(host, { op: 'link.add', netns, link: pair(other, { name: 'v2', up: false }) });
      const end: Veth = { kind: 'veth', name: 'eth0', mac: macs.container, mtu: 1450, up: false };
      same(await link(host, other, 'eth0'), end, 'new container end');
      same(await link(host, container, 'eth0'), { ...end, up: true }, 'container end set up');
    },
  },
  {
    name: 'deleting either end of a pair deletes both',
    async run(host) {
      const { netns, container } = await overlay(host);
      await must(host, { op: 'link.delete', netns: container, name: 'eth0' });
      same(await link(host, netns, 'v1'), undefined, 'host end');
      await must(host, { op: 'link.add', netns, link: pair(container) }, { op: 'link.delete', netns, name: 'v1' });
      same(await link(host, container, 'eth0'), undefined, 'container end');
    },
  },
  {
    name: 'a namespace that dies takes its links and their other ends along',
    async run(host) {
      const { netns, container } = await overlay(host);
      await host.destroy(container);
      await host.until(async () => (await link(host, netns, 'v1')) === undefined);
    },
  },
  {
    name: 'names: taken, taken in the target, too long, with a slash',
    async run(host) {
      const { netns, container } = await overlay(host);
      same(await outcome(host, { op: 'link.add', netns, link: bridge() }), 'EEXIST', 'taken');
      const second = pair(container, { name: 'v2' });
      same(await outcome(host, { op: 'link.add', netns, link: second }), 'EEXIST', 'taken in the container');
      same(await link(host, netns, 'v2'), undefined, 'no half of a pair stays behind');
      const named = (name: string) => outcome(host, { op: 'link.add', netns, link: bridge({ name }) });
      same(await named('a23456789012345'), 'ok', '15 bytes');
      same(await named('a234567890123456'), 'ERANGE', '16 bytes');
      same(await named('a/b'), 'EINVAL', 'slash');
    },
  },
  {
    name: 'a VNI and port exist once per host namespace, whichever namespace the device lies in',
    async run(host) {
      const [a, b] = [host.freshPath(), host.freshPath()];
      const tunnel = vxlan(host);
      await must(host, { op: 'netns.add', netns: a }, { op: 'netns.add', netns: b });
      await must(host, { op: 'link.add', netns: a, link: tunnel });
      same(await outcome(host, { op: 'link.add', netns: b, link: tunnel }), 'EEXIST', 'same');
      const otherPort = { ...tunnel, port: contractPort + 1 };
      same(await outcome(host, { op: 'link.add', netns: b, link: otherPort }), 'ok', 'other port');
      await must(
        host,
        { op: 'link.delete', netns: a, name: 'vxlan0' },
        { op: 'link.delete', netns: b, name: 'vxlan0' },
      );
      same(await outcome(host, { op: 'link.add', netns: b, link: tunnel }), 'ok', 'free as soon as deleted');
    },
  },
  {
    name: 'the VNI of a namespace that is being destroyed becomes free',
    async run(host) {
      const [a, b] = [host.freshPath(), host.freshPath()];
      const tunnel = vxlan(host);
      await must(host, { op: 'netns.add', netns: a }, { op: 'link.add', netns: a, link: tunnel });
      await must(host, { op: 'netns.delete', netns: a }, { op: 'netns.add', netns: b });
      await host.until(async () => (await outcome(host, { op: 'link.add', netns: b, link: tunnel })) === 'ok');
    },
  },
  {
    name: 'local of a vxlan device changes, its family does not',
    async run(host) {
      const { netns } = await overlay(host);
      const local = (to: Ip) => outcome(host, { op: 'link.set', netns, name: 'vxlan0', change: { local: to } });
      same(await local(Ip('127.0.0.2')), 'ok', 'another of its family');
      const found = await link(host, netns, 'vxlan0');
      same(found?.kind === 'vxlan' ? found.local : undefined, '127.0.0.2', 'found');
      same(await local(Ip('::1')), 'EOPNOTSUPP', 'other family');
    },
  },
  {
    name: 'MTU: lower, higher, out of bounds',
    async run(host) {
      const { netns } = await overlay(host);
      const set = (mtu: number) => outcome(host, { op: 'link.set', netns, name: 'vxlan0', change: { mtu } });
      same(await set(1400), 'ok', 'lower');
      same((await link(host, netns, 'vxlan0'))?.mtu, 1400, 'found');
      same(await set(70_000), 'EINVAL', 'above the maximum');
      same(await set(60), 'EINVAL', 'below the minimum');
    },
  },
  {
    name: 'a new MAC or link down of a vxlan device flushes its neighbours and keeps its FDB; a new MTU keeps both',
    async run(host) {
      const { netns } = await overlay(host);
      const dev = 'vxlan0';
      const [ip, mac, target] = [Ip('10.66.0.10'), macs.peer, Ip('192.0.2.2')];
      const neighbour = { op: 'neighbour.set', netns, dev, ip, mac } as const;
      const counts = async (): Promise<string> => {
        const found = await read(host, netns);
        return `${found.neighbours.get(dev)?.size ?? 0} neighbours, ${found.fdb.get(dev)?.size ?? 0} FDB`;
      };
      await must(host, neighbour, { op: 'fdb.set', netns, dev, mac, target });
      await must(host, { op: 'link.set', netns, name: dev, change: { mtu: 1400 } });
      same(await counts(), '1 neighbours, 1 FDB', 'after a new MTU');
      await must(host, { op: 'link.set', netns, name: dev, change: { mac: macs.vxlan, up: true } });
      same(await counts(), '1 neighbours, 1 FDB', 'after the MAC and state it had');
      await must(host, { op: 'link.set', netns, name: dev, change: { mac: macs.hostEnd } });
      same(await counts(), '0 neighbours, 1 FDB', 'after a new MAC');
      await must(host, neighbour, { op: 'link.set', netns, name: dev, change: { up: false } });
      same(await counts(), '0 neighbours, 1 FDB', 'after link down');
    },
  },
  {
    name: 'link down takes static routes and IPv6 addresses, keeps IPv4 addresses',
    async run(host) {
      const { container: netns } = await overlay(host);
      const dev = 'eth0';
      await must(
        host,
        { op: 'address.add', netns, dev, address: container4 },
        { op: 'address.add', netns, dev, address: container6 },
        { op: 'route.set', netns, route: { ...v4, dev, metric: 5000 } },
        { op: 'route.set', netns, route: { ...v6, dev, metric: 5000 } },
        { op: 'link.set', netns, name: dev, change: { up: false } },
        { op: 'link.set', netns, name: dev, change: { up: true } },
      );
      const found = await read(host, netns);
      same(found.addresses.get(dev), new Set([container4]), 'addresses');
      same(found.routes, new Map(), 'routes');
    },
  },
  {
    name: 'an MTU below 1280 takes IPv6 off a link: addresses, routes, sysctls, and refuses new ones',
    async run(host) {
      const { container: netns } = await overlay(host);
      const dev = 'eth0';
      const sysctls = ['net.ipv6.conf.eth0.accept_ra'];
      const address = { op: 'address.add', netns, dev, address: container6 } as const;
      await must(host, address, { op: 'route.set', netns, route: { ...v6, dev, metric: 5000 } });
      same((await read(host, netns, { sysctls })).sysctls.size, 1, 'sysctl before');
      await must(host, { op: 'link.set', netns, name: dev, change: { mtu: 1279 } });
      const found = await read(host, netns, { sysctls });
      same(found.addresses.get(dev) ?? new Set(), new Set(), 'addresses');
      same(found.routes, new Map(), 'routes');
      same(found.sysctls, new Map(), 'sysctls');
      same(await outcome(host, address), 'EINVAL', 'new address');
    },
  },
  {
    name: 'a tunnel that another process has moved to another namespace is deleted there when it is made anew',
    async run(host) {
      const { netns } = await overlay(host);
      const elsewhere = await host.containerNetns();
      const tunnel = await link(host, netns, 'vxlan0');
      if (tunnel?.kind !== 'vxlan') throw new Error('no tunnel');
      await host.moveLink(netns, 'vxlan0', elsewhere);
      same((await read(host, elsewhere)).links.has('vxlan0'), true, 'moved');
      await must(host, { op: 'link.add', netns, link: tunnel });
      same((await read(host, netns)).links.get('vxlan0'), tunnel, 'made anew');
      same([...(await read(host, elsewhere)).links.keys()], [], 'elsewhere');
    },
  },
  {
    name: 'a tunnel that was made in another namespace is not deleted for a new one with its VNI',
    async run(host) {
      const [netns, other] = [host.freshPath(), host.freshPath()];
      const tunnel = vxlan(host);
      await must(host, { op: 'netns.add', netns }, { op: 'netns.add', netns: other });
      await host.foreign({ op: 'link.add', netns: other, link: tunnel });
      same(await outcome(host, { op: 'link.add', netns, link: tunnel }), 'EEXIST', 'the VNI is taken');
      same((await read(host, other)).links.has('vxlan0'), true, 'the other tunnel');
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
];
