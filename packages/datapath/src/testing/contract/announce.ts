import { InterfaceAddress, Ip, Mac } from '@causeway/model';
import type { NetnsPath } from '../../state.ts';
import { type ContractCase, type ContractHost, macs, must, overlay, pair, quietPort, same } from './host.ts';

const absent = [Ip('10.66.0.10'), Ip('fd66::a')] as const;
/** The IPv4 address of the first container. */
const own = Ip('10.66.0.9');
const dev = 'eth0';
const second = { container: Mac('02:42:0a:42:00:0b'), hostEnd: Mac('02:46:00:00:00:02') };

/** An overlay with two containers that have addresses and FDB entries, so that they reach each other. */
async function containers(host: ContractHost): Promise<{ netns: NetnsPath; first: NetnsPath; other: NetnsPath }> {
  const { netns, container: first } = await overlay(host);
  const other = await host.containerNetns();
  const peer = { netns: other, name: dev, mac: second.container, mtu: 1450 };
  await must(
    host,
    { op: 'link.add', netns, link: pair(other, { name: 'v2', mac: second.hostEnd, bridgePort: quietPort, peer }) },
    { op: 'link.set', netns, name: 'v2', change: { bridgePort: quietPort } },
    { op: 'link.set', netns: other, name: dev, change: { up: true } },
    { op: 'fdb.set', netns, dev: 'v1', mac: macs.container, target: 'port' },
    { op: 'fdb.set', netns, dev: 'v2', mac: second.container, target: 'port' },
  );
  for (const [inside, last] of [
    [first, '9'],
    [other, 'b'],
  ] as const) {
    const v4 = InterfaceAddress(`10.66.0.${Number.parseInt(last, 16)}/16`);
    for (const address of [v4, InterfaceAddress(`fd66::${last}/64`)]) {
      await must(host, { op: 'address.add', netns: inside, dev, address });
    }
  }
  return { netns, first, other };
}

/** Cases for announcements of addresses. */
export const announceCases: readonly ContractCase[] = [
  {
    name: 'an announcement completes the entry of a container that asked in vain, over IPv4 and IPv6',
    async run(host) {
      const { netns, first, other } = await containers(host);
      for (const ip of absent) for (const inside of [first, other]) await host.ask(inside, dev, ip);
      const all = absent.map((ip) => ({ ip, mac: macs.peer, to: 'all' }) as const);
      await host.kernel.announce(netns, 'br0', all);
      for (const ip of absent) {
        for (const inside of [first, other]) {
          await host.until(async () => (await host.resolved(inside, dev, ip)) === macs.peer);
        }
      }
    },
  },
  {
    name: 'an announcement replaces the MAC of an entry, and makes no entry that was not asked for',
    async run(host) {
      const { netns, first, other } = await containers(host);
      for (const ip of absent) await host.ask(first, dev, ip);
      for (const mac of [macs.hostEnd, macs.peer]) {
        await host.kernel.announce(
          netns,
          'br0',
          absent.map((ip) => ({ ip, mac, to: 'all' }) as const),
        );
        for (const ip of absent) await host.until(async () => (await host.resolved(first, dev, ip)) === mac);
      }
      for (const ip of absent) same(await host.resolved(other, dev, ip), undefined, `${ip} where it was not asked for`);
    },
  },
  {
    name: 'an announcement to some containers does not reach the others',
    async run(host) {
      const { netns, first, other } = await containers(host);
      for (const ip of absent) for (const inside of [first, other]) await host.ask(inside, dev, ip);
      const only = absent.map((ip) => ({ ip, mac: macs.peer, to: [second.container] }));
      await host.kernel.announce(netns, 'br0', only);
      for (const ip of absent) {
        await host.until(async () => (await host.resolved(other, dev, ip)) === macs.peer);
        same(await host.resolved(first, dev, ip), undefined, `${ip} in the container that was not named`);
      }
    },
  },
  {
    name: 'a container that gets the announcement of its own IPv4 address keeps the address, and makes no entry',
    async run(host) {
      const { netns, first, other } = await containers(host);
      await host.ask(other, dev, own);
      await host.kernel.announce(netns, 'br0', [{ ip: own, mac: macs.container, to: 'all' }]);
      await host.until(async () => (await host.resolved(other, dev, own)) === macs.container);
      same(await host.resolved(first, dev, own), undefined, 'the entry of the own address');
      const seen = await host.kernel.read(first, { of: ['addresses'], sysctls: [] });
      same(seen?.addresses.get(dev)?.has(InterfaceAddress(`${own}/16`)), true, 'the own address');
    },
  },
  {
    name: "an announcement completes the bridge's own entry",
    async run(host) {
      const { netns } = await containers(host);
      for (const text of ['10.66.0.1/16', 'fd66::1/64']) {
        await must(host, { op: 'address.add', netns, dev: 'br0', address: InterfaceAddress(text) });
      }
      for (const ip of absent) await host.ask(netns, 'br0', ip);
      const none = absent.map((ip) => ({ ip, mac: macs.peer, to: [] }));
      await host.kernel.announce(netns, 'br0', none);
      for (const ip of absent) same(await host.resolved(netns, 'br0', ip), macs.peer, `${ip} of br0`);
    },
  },
  {
    name: 'an announcement where no namespace or no bridge is fails, and says so',
    async run(host) {
      const one = [{ ip: absent[0], mac: macs.peer, to: 'all' }] as const;
      const errnoOf = (netns: NetnsPath): Promise<string> =>
        host.kernel.announce(netns, 'br0', one).then(
          () => 'ok',
          (error: { errno?: string }) => error.errno ?? String(error),
        );
      same(await errnoOf(host.freshPath()), 'ENOENT', 'no namespace');
      same(await errnoOf(await host.containerNetns()), 'ENODEV', 'no bridge');
      const { netns } = await containers(host);
      await must(host, { op: 'link.set', netns, name: 'br0', change: { up: false } });
      same(await errnoOf(netns), 'ENETDOWN', 'a bridge that is down');
    },
  },
];
