import { InterfaceAddress, Ip, Mac, Prefix } from '@causeway/model';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Draft, newNamespace } from './draft.ts';
import type { Link, LinkChange } from './kinds/link/link.ts';
import type { Op } from './kinds/table.ts';
import { simulate } from './simulate.ts';
import type { NetnsPath, State } from './state.ts';

const netns = '/run/netns/cw-0123456789' as NetnsPath;
const container = '/run/netns/web' as NetnsPath;
const [mac, another] = [Mac('02:42:0a:42:00:02'), Mac('02:42:0a:42:00:03')];
const [four, six] = [InterfaceAddress('10.66.0.2/16'), InterfaceAddress('fd66::2/64')];
const port = { master: 'br0', learning: false, flood: false };
const bridge: Link = { kind: 'bridge', name: 'br0', mac, mtu: 1450, up: true };
const veth: Link = { kind: 'veth', name: 'eth0', mac, mtu: 1450, up: true, bridgePort: port };

let actual: State;
let namespace: Draft;

/** A link with everything that can belong to a link. */
beforeEach(() => {
  namespace = newNamespace();
  for (const link of [bridge, veth]) namespace.links.set(link.name, link);
  namespace.addresses.set('eth0', new Set([four, six]));
  namespace.neighbours.set(
    'eth0',
    new Map([
      [Ip('10.66.0.9'), mac],
      [Ip('fd66::9'), mac],
    ]),
  );
  namespace.fdb.set('eth0', new Map([[mac, 'port']]));
  for (const dst of [Prefix('0.0.0.0/0'), Prefix('::/0')]) namespace.routes.set(dst, { dst, dev: 'eth0', metric: 1 });
  for (const key of ['net.ipv4.conf.eth0.rp_filter', 'net.ipv6.conf.eth0.accept_ra', 'net.ipv6.conf.all.forwarding'])
    namespace.sysctls.set(key, '0');
  actual = new Map([[netns, namespace]]);
});

/** What is left of that link after the ops. */
function leftBy(...ops: Op[]) {
  const found = simulate(actual, ops).get(netns);
  return {
    links: [...(found?.links.keys() ?? [])],
    addresses: [...(found?.addresses.get('eth0') ?? [])],
    neighbours: [...(found?.neighbours.get('eth0')?.keys() ?? [])],
    fdb: [...(found?.fdb.get('eth0')?.keys() ?? [])],
    routes: [...(found?.routes.keys() ?? [])],
    sysctls: [...(found?.sysctls.keys() ?? [])],
  };
}

const set = (change: LinkChange): Op => ({ op: 'link.set', netns, name: 'eth0', change });
const whole = {
  links: ['br0', 'eth0'],
  addresses: [four, six],
  neighbours: ['10.66.0.9', 'fd66::9'],
  fdb: [mac],
  routes: ['0.0.0.0/0', '::/0'],
  sysctls: ['net.ipv4.conf.eth0.rp_filter', 'net.ipv6.conf.eth0.accept_ra', 'net.ipv6.conf.all.forwarding'],
};

describe('what the kernel removes by itself', () => {
  it.each<[string, Op, object]>([
    ['nothing when a link is set up', set({ up: true }), {}],
    ['nothing when the MAC stays', set({ mac }), {}],
    ['the neighbours when the MAC changes', set({ mac: another }), { neighbours: [] }],
    ['nothing when the MTU is enough for IPv6', set({ mtu: 1280 }), {}],
    [
      'all of IPv6 when the MTU is too small for it',
      set({ mtu: 1279 }),
      {
        addresses: [four],
        neighbours: ['10.66.0.9'],
        routes: ['0.0.0.0/0'],
        sysctls: ['net.ipv4.conf.eth0.rp_filter', 'net.ipv6.conf.all.forwarding'],
      },
    ],
    ['nothing when the port stays in its bridge', set({ bridgePort: { ...port, learning: true } }), {}],
    [
      'the entries of a port that moves to another bridge',
      set({ bridgePort: { ...port, master: 'br1' } }),
      { fdb: [] },
    ],
    [
      'the entries of a port whose bridge is gone',
      { op: 'link.delete', netns, name: 'br0' },
      { links: ['eth0'], fdb: [] },
    ],
    [
      'all that belongs to a link that is gone',
      { op: 'link.delete', netns, name: 'eth0' },
      { links: ['br0'], addresses: [], neighbours: [], fdb: [], routes: [], sysctls: ['net.ipv6.conf.all.forwarding'] },
    ],
    [
      "IPv4's neighbours and routes with the last IPv4 address",
      { op: 'address.delete', netns, dev: 'eth0', address: four },
      { addresses: [six], neighbours: ['fd66::9'], routes: ['::/0'] },
    ],
    [
      'only the address when it is an IPv6 address',
      { op: 'address.delete', netns, dev: 'eth0', address: six },
      { addresses: [four] },
    ],
    ['nothing of a link that is not there', { op: 'link.set', netns, name: 'eth9', change: { mac: another } }, {}],
    ['nothing in a namespace that is not there', { op: 'link.delete', netns: container, name: 'eth0' }, {}],
  ])('%s', (_, op, change) => expect(leftBy(op)).toEqual({ ...whole, ...change }));

  it('only the address when another IPv4 address stays', () => {
    const second = InterfaceAddress('10.66.0.3/16');
    const ops: Op[] = [
      { op: 'address.add', netns, dev: 'eth0', address: second },
      { op: 'address.delete', netns, dev: 'eth0', address: four },
    ];
    expect(leftBy(...ops)).toEqual({ ...whole, addresses: [six, second] });
  });

  it('all of a namespace', () => {
    expect(simulate(actual, [{ op: 'netns.delete', netns }]).size).toBe(0);
    expect(simulate(actual, [{ op: 'netns.add', netns: container }]).get(container)).toEqual(newNamespace());
  });
});

it.each<[string, 'address.add' | 'address.delete', InterfaceAddress, InterfaceAddress[]]>([
  ['the first IPv4 address comes', 'address.add', four, [six, four]],
  ['an IPv6 address goes', 'address.delete', six, []],
])('a link without an IPv4 address loses nothing else when %s', (_, op, address, addresses) => {
  namespace.addresses.set('eth0', new Set([six]));
  expect(leftBy({ op, netns, dev: 'eth0', address })).toEqual({ ...whole, addresses });
});

it('a new pair has both ends, and a new port has the flags of a port that has just joined', () => {
  const peer = { netns: container, name: 'eth0', mac: another, mtu: 1400 };
  const link: Link & { kind: 'veth' } = { kind: 'veth', name: 'p1', mac, mtu: 1450, up: true, bridgePort: port, peer };
  const state = simulate(new Map([...actual, [container, newNamespace()]]), [{ op: 'link.add', netns, link }]);
  expect(state.get(netns)?.links.get('p1')).toMatchObject({
    bridgePort: { master: 'br0', learning: true, flood: true },
  });
  const end = { kind: 'veth', name: 'eth0', mac: another, mtu: 1400, up: false };
  expect(state.get(container)?.links.get('eth0')).toEqual(end);
});

it.each<Link & { kind: 'bridge' | 'veth' }>([
  { kind: 'bridge', name: 'p1', mac, mtu: 1450, up: true },
  { kind: 'veth', name: 'p1', mac, mtu: 1450, up: true },
])('a new $kind without another end is one link', (link) => {
  const state = simulate(new Map([...actual, [container, newNamespace()]]), [{ op: 'link.add', netns, link }]);
  expect(state.get(netns)?.links.get('p1')).toEqual(link);
  expect(state.get(container)).toEqual(newNamespace());
});

it('a new pair to a namespace that is not there has one end', () => {
  const peer = { netns: container, name: 'eth0', mac: another, mtu: 1400 };
  const link = { kind: 'veth', name: 'p1', mac, mtu: 1450, up: true, peer } as const;
  expect([...simulate(actual, [{ op: 'link.add', netns, link }]).keys()]).toEqual([netns]);
});

it('the state that was found stays as it is', () => {
  leftBy({ op: 'link.delete', netns, name: 'eth0' });
  expect(leftBy()).toEqual(whole);
  expect(simulate(actual, [])).toBe(actual);
});
