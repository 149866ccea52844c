import { InterfaceAddress, Ip, Mac, Prefix, Vni } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import { newNamespace } from './draft.ts';
import type { Link } from './kinds/link/link.ts';
import type { Op } from './kinds/table.ts';
import { additive, deviceOf, isStructural } from './op.ts';
import type { NetnsPath, State } from './state.ts';

const netns = '/run/netns/cw-0123456789' as NetnsPath;
const other = '/run/netns/cw-9876543210' as NetnsPath;
const [mac, ip, vtep] = [Mac('02:42:0a:42:00:09'), Ip('10.66.0.9'), Ip('192.0.2.2')];
const address = InterfaceAddress('10.66.0.9/16');
const route = { dst: Prefix('0.0.0.0/0'), gateway: Ip('10.66.0.1'), dev: 'eth0', metric: 0 };
const link = (name: string): Link & { kind: 'vxlan' } => {
  return { kind: 'vxlan', name, mac, mtu: 1450, up: true, vni: Vni(7), port: 4789, local: vtep };
};

/** A namespace with a vxlan device, an entry of a port, and a default route. */
const found: State = (() => {
  const namespace = newNamespace();
  namespace.links.set('vxlan0', link('vxlan0'));
  namespace.fdb.set('p1', new Map([[mac, 'port']]));
  namespace.routes.set(route.dst, route);
  return new Map([[netns, namespace]]);
})();

const fdb = (dev: string, target: 'port' | Ip, of = mac): Op => ({ op: 'fdb.set', netns, dev, mac: of, target });
const change = (of: object): Op => ({ op: 'link.set', netns, name: 'vxlan0', change: of });

describe('what may be done before the intent is confirmed', () => {
  it.each<[string, Op, Op | 'all' | 'nothing']>([
    ['a namespace is made', { op: 'netns.add', netns }, 'all'],
    ['a namespace is not deleted', { op: 'netns.delete', netns }, 'nothing'],
    ['a missing link is made', { op: 'link.add', netns, link: link('vxlan1') }, 'all'],
    ['a link is made in a namespace that is missing', { op: 'link.add', netns: other, link: link('vxlan0') }, 'all'],
    ['a link that is there is not made anew', { op: 'link.add', netns, link: link('vxlan0') }, 'nothing'],
    ['a link is not deleted', { op: 'link.delete', netns, name: 'vxlan0' }, 'nothing'],
    ['a link is set up', change({ up: true }), 'all'],
    ['a link keeps its MTU, its MAC and its VTEP', change({ mtu: 1400, mac, local: vtep }), 'nothing'],
    ['a link is set up and keeps its MTU', change({ up: true, mtu: 1400 }), change({ up: true })],
    ['a link joins its bridge', change({ bridgePort: { master: 'br0', learning: false, flood: false } }), 'all'],
    ['an address is added', { op: 'address.add', netns, dev: 'eth0', address }, 'all'],
    ['an address is not deleted', { op: 'address.delete', netns, dev: 'eth0', address }, 'nothing'],
    ['a missing route is set', { op: 'route.set', netns, route: { ...route, dst: Prefix('::/0') } }, 'all'],
    ['a route is set in a namespace that is missing', { op: 'route.set', netns: other, route }, 'all'],
    ['a route that is there is not replaced', { op: 'route.set', netns, route }, 'nothing'],
    ['a route is not deleted', { op: 'route.delete', netns, route }, 'nothing'],
    ["a missing entry of a container's port is set", fdb('p1', 'port', Mac('02:42:0a:42:00:08')), 'all'],
    ['an entry of a port without entries is set', fdb('p2', 'port'), 'all'],
    ['an entry of a port that is there is not replaced', fdb('p1', 'port'), 'nothing'],
    ['a peer is not added to a tunnel that is there', fdb('vxlan0', vtep), 'nothing'],
    ['a peer is added to a tunnel that is missing', fdb('vxlan1', vtep), 'all'],
    ['a peer is not deleted', { op: 'fdb.delete', netns, dev: 'vxlan0', mac, target: vtep }, 'nothing'],
    [
      'a neighbour is not added to a link that is there',
      { op: 'neighbour.set', netns, dev: 'vxlan0', ip, mac },
      'nothing',
    ],
    ['a neighbour is added to a link that is missing', { op: 'neighbour.set', netns, dev: 'vxlan1', ip, mac }, 'all'],
    ['a neighbour is not deleted', { op: 'neighbour.delete', netns, dev: 'vxlan1', ip }, 'nothing'],
    ['a sysctl is set', { op: 'sysctl.set', netns, key: 'net.ipv4.ip_forward', value: '0' }, 'all'],
  ])('%s', (_, op, expected) => {
    expect(additive(op, found)).toEqual(expected === 'all' ? op : expected === 'nothing' ? undefined : expected);
  });
});

it.each<Op>([
  { op: 'netns.delete', netns: other },
  { op: 'link.delete', netns, name: 'vxlan1' },
  { op: 'address.delete', netns, dev: 'vxlan1', address },
  { op: 'route.delete', netns, route: { ...route, dst: Prefix('::/0') } },
  { op: 'neighbour.delete', netns, dev: 'vxlan1', ip },
  { op: 'fdb.delete', netns, dev: 'vxlan1', mac, target: vtep },
  { op: 'fdb.delete', netns, dev: 'p2', mac, target: 'port' },
  { op: 'fdb.delete', netns: other, dev: 'p1', mac, target: 'port' },
])('$op adds nothing, also where there is nothing to delete', (op) => expect(additive(op, found)).toBeUndefined());

it.each<[Op['op'], Op, device: string | undefined, structural: boolean]>([
  ['netns.add', { op: 'netns.add', netns }, undefined, true],
  ['link.add', { op: 'link.add', netns, link: link('vxlan1') }, 'vxlan1', true],
  ['link.set', change({ up: true }), 'vxlan0', true],
  ['link.delete', { op: 'link.delete', netns, name: 'vxlan0' }, 'vxlan0', true],
  ['address.add', { op: 'address.add', netns, dev: 'eth0', address }, 'eth0', false],
  ['route.set', { op: 'route.set', netns, route }, 'eth0', false],
  ['fdb.set', fdb('p1', 'port'), 'p1', false],
  ['neighbour.set', { op: 'neighbour.set', netns, dev: 'vxlan0', ip, mac }, 'vxlan0', false],
  ['sysctl.set', { op: 'sysctl.set', netns, key: 'net.ipv4.ip_forward', value: '0' }, undefined, false],
])('%s is about link %s', (_, op, device, structural) => {
  expect([deviceOf(op), isStructural(op)]).toEqual([device, structural]);
});
