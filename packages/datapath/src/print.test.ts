import { InterfaceAddress, Ip, Mac, Prefix, Vni } from '@causeway/model';
import { describe, expect, it } from 'vitest';
import { type Draft, newNamespace } from './draft.ts';
import { interfaceSysctl } from './kinds/sysctl.ts';
import type { Op } from './kinds/table.ts';
import { policyKey } from './kinds/xfrm-policy.ts';
import { stateKey } from './kinds/xfrm-state.ts';
import { printOp, printState } from './print.ts';
import { hostNetns, type NetnsPath } from './state.ts';
import { vtep } from './testing/fixtures.ts';
import { demand, state } from './testing/xfrm-fixtures.ts';

const netns = '/run/netns/cw-0123456789' as NetnsPath;
const proc = '/proc/7/ns/net' as NetnsPath;
const mac = Mac('02:42:0a:42:00:09');
const base = { mac, mtu: 1450, up: true };
const tunnel = { kind: 'vxlan', name: 'vxlan0', ...base, vni: Vni(4096), port: 4789, local: Ip('192.0.2.1') } as const;
const bridgePort = { master: 'br0', learning: false, flood: true };

it.each<[string, Op]>([
  ['ip netns add cw-0123456789', { op: 'netns.add', netns }],
  ['ip netns delete cw-0123456789', { op: 'netns.delete', netns }],
  [
    'ip -n cw-0123456789 link add name br0 address 02:42:0a:42:00:09 mtu 1450 up type bridge forward_delay 0',
    { op: 'link.add', netns, link: { kind: 'bridge', name: 'br0', ...base } },
  ],
  [
    'ip link add name cw-left address 02:42:0a:42:00:09 mtu 1450 group 1668773751 up type bridge forward_delay 0',
    { op: 'link.add', netns: hostNetns, link: { kind: 'bridge', name: 'cw-left', ...base } },
  ],
  [
    'ip -n cw-0123456789 link add name v1 address 02:42:0a:42:00:09 mtu 1450 up type veth',
    { op: 'link.add', netns, link: { kind: 'veth', name: 'v1', ...base } },
  ],
  ['ip -n cw-0123456789 link set dev v1 mtu 1400', { op: 'link.set', netns, name: 'v1', change: { mtu: 1400 } }],
  [
    'ip -n cw-0123456789 link add name br0 address 02:42:0a:42:00:09 mtu 1450 type bridge forward_delay 0',
    { op: 'link.add', netns, link: { kind: 'bridge', name: 'br0', ...base, up: false } },
  ],
  [
    'ip -n cw-0123456789 link add name vxlan0 address 02:42:0a:42:00:09 mtu 1450 master br0 up type vxlan id 4096 dstport 4789 local 192.0.2.1 nolearning proxy',
    { op: 'link.add', netns, link: { ...tunnel, bridgePort } },
  ],
  [
    'ip -n cw-0123456789 link add name v1 address 02:42:0a:42:00:09 mtu 1450 up type veth peer name eth0 address 02:42:0a:42:00:09 mtu 1400 netns /proc/7/ns/net',
    {
      ...{ op: 'link.add', netns },
      link: { kind: 'veth', name: 'v1', ...base, peer: { netns: proc, name: 'eth0', mac, mtu: 1400 } },
    },
  ],
  ['ip -n cw-0123456789 link set dev v1 up', { op: 'link.set', netns, name: 'v1', change: { up: true } }],
  [
    'ip -n cw-0123456789 link set dev v1 address 02:42:0a:42:00:09 mtu 1400 down',
    { op: 'link.set', netns, name: 'v1', change: { mac, mtu: 1400, up: false } },
  ],
  [
    'ip -n cw-0123456789 link set dev v1 master br0 && bridge -n cw-0123456789 link set dev v1 learning off flood on',
    { op: 'link.set', netns, name: 'v1', change: { bridgePort } },
  ],
  [
    'ip -n cw-0123456789 link set dev vxlan0 type vxlan local 192.0.2.9',
    { op: 'link.set', netns, name: 'vxlan0', change: { local: Ip('192.0.2.9') } },
  ],
  ['ip link delete dev cw-left', { op: 'link.delete', netns: hostNetns, name: 'cw-left' }],
  [
    'nsenter --net=/proc/7/ns/net ip address add 10.66.0.9/16 dev eth0',
    { op: 'address.add', netns: proc, dev: 'eth0', address: InterfaceAddress('10.66.0.9/16') },
  ],
  [
    'ip -n cw-0123456789 address add fd66::9/64 dev eth0 nodad',
    { op: 'address.add', netns, dev: 'eth0', address: InterfaceAddress('fd66::9/64') },
  ],
  [
    'ip -n cw-0123456789 address delete fd66::9/64 dev eth0',
    { op: 'address.delete', netns, dev: 'eth0', address: InterfaceAddress('fd66::9/64') },
  ],
  [
    'ip -n cw-0123456789 neighbour replace 10.66.0.9 lladdr 02:42:0a:42:00:09 dev vxlan0 nud permanent',
    { op: 'neighbour.set', netns, dev: 'vxlan0', ip: Ip('10.66.0.9'), mac },
  ],
  [
    'ip -n cw-0123456789 neighbour delete 10.66.0.9 dev vxlan0',
    { op: 'neighbour.delete', netns, dev: 'vxlan0', ip: Ip('10.66.0.9') },
  ],
  [
    'bridge -n cw-0123456789 fdb replace 02:42:0a:42:00:09 dev v1 master static',
    { op: 'fdb.set', netns, dev: 'v1', mac, target: 'port' },
  ],
  [
    'bridge -n cw-0123456789 fdb replace 02:42:0a:42:00:09 dev vxlan0 self dst 192.0.2.2',
    { op: 'fdb.set', netns, dev: 'vxlan0', mac, target: Ip('192.0.2.2') },
  ],
  [
    'bridge -n cw-0123456789 fdb delete 02:42:0a:42:00:09 dev v1 master',
    { op: 'fdb.delete', netns, dev: 'v1', mac, target: 'port' },
  ],
  [
    'bridge -n cw-0123456789 fdb delete 02:42:0a:42:00:09 dev vxlan0 self dst 192.0.2.2',
    { op: 'fdb.delete', netns, dev: 'vxlan0', mac, target: Ip('192.0.2.2') },
  ],
])('%s', (command, op) => expect(printOp(op)).toBe(command));

const route = { dst: Prefix('0.0.0.0/0'), dev: 'eth0', metric: 0 };

it.each<[string, Op]>([
  ['via 10.66.0.1', { op: 'route.set', netns, route: { ...route, gateway: Ip('10.66.0.1') } }],
  ['ip -n cw-0123456789 -6 route', { op: 'route.set', netns, route: { ...route, dst: Prefix('::/0') } }],
  ['metric 7', { op: 'route.set', netns, route: { ...route, metric: 7 } }],
  ['route delete', { op: 'route.delete', netns, route }],
])('a route is printed with %s only when it has that', (words, op) => {
  expect(printOp(op)).toContain(words);
  const plain = printOp({ op: 'route.set', netns, route });
  expect(plain).not.toContain(words);
});

describe('a state as text', () => {
  const names = ['eth2', 'eth0', 'eth10'];
  const ips = ['10.66.0.9', '10.66.0.10', 'fd66::9'].map((each) => Ip(each));
  const macs = ['02:42:0a:42:00:0b', '02:42:0a:42:00:09', '02:42:0a:42:00:0a'].map((each) => Mac(each));

  /** A namespace with several objects of each kind, made in this order. */
  function namespace(order: readonly number[]): Draft {
    const made = newNamespace();
    for (const n of order) {
      const [name = '', ip = vtep(n), address = mac] = [names[n], ips[n], macs[n]];
      made.links.set(name, { kind: 'bridge', name, mac: address, mtu: 1450, up: true });
      made.addresses.set(name, new Set(order.map((m) => InterfaceAddress(`${ips[m]}/${n === 0 ? 24 : 25}`))));
      made.routes.set(Prefix(`10.${n}.0.0/16`), { dst: Prefix(`10.${n}.0.0/16`), dev: name, metric: n });
      made.neighbours.set(name, new Map(order.map((m) => [ips[m] ?? ip, address])));
      made.fdb.set(name, new Map(order.map((m) => [macs[m] ?? address, vtep(n)])));
      made.sysctls.set(interfaceSysctl('ipv4', name, 'rp_filter'), '1');
      const sa = state({ spi: n + 1 });
      made.xfrmStates.set(stateKey(sa), sa);
      const policy = demand('in', vtep(n), vtep(9));
      made.xfrmPolicies.set(policyKey(policy), policy);
    }
    return made;
  }
  const inOrder = (order: readonly number[]): string =>
    printState(new Map(order.map((n) => [`/run/netns/${names[n]}` as NetnsPath, namespace(order)])));

  it('does not depend on the order in which its objects were found', () => {
    const text = inOrder([0, 1, 2]);
    expect(text.split('\n').length).toBeGreaterThan(90);
    for (const order of [
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ]) {
      expect(inOrder(order)).toBe(text);
    }
  });

  it('lists namespaces and links by name', () => {
    const lines = inOrder([0, 1, 2]).split('\n');
    expect(lines.filter((line) => line.startsWith('/'))).toEqual(
      ['eth0', 'eth10', 'eth2'].map((name) => `/run/netns/${name}`),
    );
    expect(lines.slice(1, 4).map((line) => line.trim().split(' ')[1])).toEqual(['eth0', 'eth10', 'eth2']);
  });
});
