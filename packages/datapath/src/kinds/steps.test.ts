import { InterfaceAddress, Ip, Mac, Prefix } from '@causeway/model';
import { expect, it } from 'vitest';
import { hostNetns, type NetnsPath } from '../state.ts';
import { block, demand, ends, saKey, state } from '../testing/xfrm-fixtures.ts';
import { address } from './address.ts';
import { encapSocket } from './encap-socket.ts';
import { fdb } from './fdb.ts';
import type { Step } from './kind.ts';
import { neighbour } from './neighbour.ts';
import { port } from './port.ts';
import { portGuard } from './port-guard.ts';
import { inside, nameOf, tool } from './printing.ts';
import { route } from './route.ts';
import { interfaceSysctl, sysctl } from './sysctl.ts';
import { policyKey, xfrmPolicy } from './xfrm-policy.ts';
import { stateKey, xfrmState } from './xfrm-state.ts';

/* Which steps repair a difference, and their places in a plan. */

const netns = '/run/netns/cw-0123456789' as NetnsPath;
const [mac, other] = [Mac('02:42:0a:42:00:09'), Mac('02:42:0a:42:00:0a')];
const [ip, vtep, vtep2] = [Ip('10.66.0.9'), Ip('192.0.2.2'), Ip('192.0.2.3')];
const onLink = { dev: 'vxlan0', key: mac };
const ofIp = { dev: 'vxlan0', key: ip };
const own = { dev: 'eth0', key: InterfaceAddress('10.66.0.9/16') };
const dst = Prefix('0.0.0.0/0');
const [first, second] = [5, 6].map((metric) => ({ dst, dev: 'eth0', metric }));
const forward = 'net.ipv4.ip_forward';
const ofLink = interfaceSysctl('ipv6', 'eth0.7', 'accept_ra');
const isPort = { master: 'br0', learning: false, flood: false };
const [receiving, sending] = [state(), state({ direction: 'out', src: ends[4].here, dst: ends[4].there })];
const [blocked, demanded] = [block('in'), demand('in', ends[4].there, ends[4].here)];
const inUdp = state({ encap: { sport: 4500, dport: 4500 } });
const otherPorts = { sport: 61_000, dport: 4500 };
const ofSa = (of: typeof receiving) => ({ key: stateKey(of) });
const ofPolicy = (of: typeof blocked) => ({ key: policyKey(of) });

it.each<[string, readonly Step[], readonly string[]]>([
  ['an address, added', address.steps(netns, { key: own, actual: undefined, desired: 'present' }), ['add address']],
  [
    'an address, removed',
    address.steps(netns, { key: own, actual: 'present', desired: undefined }),
    ['delete address'],
  ],
  ['a neighbour, set', neighbour.steps(netns, { key: ofIp, actual: other, desired: mac }), ['set neighbour']],
  [
    'a neighbour, removed',
    neighbour.steps(netns, { key: ofIp, actual: mac, desired: undefined }),
    ['delete neighbour'],
  ],
  ['an FDB entry, set', fdb.steps(netns, { key: onLink, actual: undefined, desired: vtep }), ['set FDB entry']],
  ['an FDB entry, changed', fdb.steps(netns, { key: onLink, actual: vtep2, desired: vtep }), ['set FDB entry']],
  ['an FDB entry, removed', fdb.steps(netns, { key: onLink, actual: vtep, desired: undefined }), ['delete FDB entry']],
  ['an FDB entry, neither', fdb.steps(netns, { key: onLink, actual: undefined, desired: undefined }), []],
  ['a route, set', route.steps(netns, { key: dst, actual: undefined, desired: first }), ['set route']],
  ['a route, replaced', route.steps(netns, { key: dst, actual: first, desired: first }), ['set route']],
  [
    'a route, with another metric before',
    route.steps(netns, { key: dst, actual: second, desired: first }),
    ['set route', 'delete route'],
  ],
  ['a route, removed', route.steps(netns, { key: dst, actual: first, desired: undefined }), ['delete route']],
  [
    "a namespace's sysctl",
    sysctl.steps(netns, { key: forward, actual: '0', desired: '1' }),
    ['set sysctl of namespace'],
  ],
  [
    'a sysctl of all links',
    sysctl.steps(netns, { key: interfaceSysctl('ipv6', 'all', 'forwarding'), actual: '0', desired: '1' }),
    ['set sysctl of namespace'],
  ],
  [
    'a sysctl of new links',
    sysctl.steps(netns, { key: interfaceSysctl('ipv4', 'default', 'rp_filter'), actual: '0', desired: '1' }),
    ['set sysctl of namespace'],
  ],
  ["a link's sysctl", sysctl.steps(netns, { key: ofLink, actual: '1', desired: '0' }), ['set sysctl of link']],
  ['a sysctl that is not desired', sysctl.steps(netns, { key: forward, actual: '1', desired: undefined }), []],
  ['a port', port.steps(netns, { key: 'v1', actual: undefined, desired: isPort }), ['set port']],
  ['a port that is not desired', port.steps(netns, { key: 'v1', actual: isPort, desired: undefined }), []],
  [
    'an SA that receives',
    xfrmState.steps(hostNetns, { ...ofSa(receiving), actual: undefined, desired: receiving }),
    ['add receiving SA'],
  ],
  [
    'an SA that sends',
    xfrmState.steps(hostNetns, { ...ofSa(sending), actual: undefined, desired: sending }),
    ['add sending SA'],
  ],
  [
    'an SA in the place of another',
    xfrmState.steps(hostNetns, { ...ofSa(sending), actual: receiving, desired: sending }),
    ['delete SA in the way', 'add sending SA'],
  ],
  [
    'an SA that received, removed',
    xfrmState.steps(hostNetns, { ...ofSa(receiving), actual: receiving, desired: undefined }),
    ['delete receiving SA'],
  ],
  [
    'an SA that sent, removed',
    xfrmState.steps(hostNetns, { ...ofSa(sending), actual: sending, desired: undefined }),
    ['delete sending SA'],
  ],
  [
    'the ports of an SA',
    xfrmState.steps(hostNetns, { ...ofSa(inUdp), actual: inUdp, desired: { ...inUdp, encap: otherPorts } }),
    ['set ports of SA'],
  ],
  [
    'the ports of an SA with another key',
    xfrmState.steps(hostNetns, {
      ...ofSa(inUdp),
      actual: inUdp,
      desired: { ...inUdp, encap: otherPorts, key: saKey(9) },
    }),
    ['delete SA in the way', 'add receiving SA'],
  ],
  [
    'an SA of ESP in UDP in the place of one of plain ESP',
    xfrmState.steps(hostNetns, { ...ofSa(inUdp), actual: receiving, desired: inUdp }),
    ['delete SA in the way', 'add receiving SA'],
  ],
  ['a socket', encapSocket.steps(hostNetns, { key: ends[4].here, actual: undefined, desired: true }), ['open socket']],
  [
    'a socket, removed',
    encapSocket.steps(hostNetns, { key: ends[4].here, actual: true, desired: undefined }),
    ['close socket'],
  ],
  ['a guard', portGuard.steps(hostNetns, { key: 4793, actual: 'changed', desired: 'whole' }), ['block']],
  ['a guard, removed', portGuard.steps(hostNetns, { key: 4793, actual: 'whole', desired: undefined }), ['unblock']],
  ['no SA', xfrmState.steps(hostNetns, { ...ofSa(sending), actual: undefined, desired: undefined }), []],
  ['a block', xfrmPolicy.steps(hostNetns, { ...ofPolicy(blocked), actual: demanded, desired: blocked }), ['block']],
  [
    'a block, removed',
    xfrmPolicy.steps(hostNetns, { ...ofPolicy(blocked), actual: blocked, desired: undefined }),
    ['unblock'],
  ],
  [
    'a policy in the place of a block',
    xfrmPolicy.steps(hostNetns, { ...ofPolicy(demanded), actual: blocked, desired: demanded }),
    ['set policy'],
  ],
  [
    'a policy, removed',
    xfrmPolicy.steps(hostNetns, { ...ofPolicy(demanded), actual: demanded, desired: undefined }),
    ['delete policy'],
  ],
  ['no policy', xfrmPolicy.steps(hostNetns, { ...ofPolicy(blocked), actual: undefined, desired: undefined }), []],
])('%s', (_, steps, places) => expect(steps.map(([place]) => place)).toEqual(places));

it.each<[string, string, string, string]>([
  ['', 'ip', '', ''],
  ['/run/netns/web', 'ip -n web', 'ip netns exec web ', 'web'],
  ['/var/run/netns/web', 'ip -n web', 'ip netns exec web ', 'web'],
  ['/run/netns/a/b', 'nsenter --net=/run/netns/a/b ip', 'nsenter --net=/run/netns/a/b ', '/run/netns/a/b'],
  ['/proc/7/ns/net', 'nsenter --net=/proc/7/ns/net ip', 'nsenter --net=/proc/7/ns/net ', '/proc/7/ns/net'],
])('commands in the namespace "%s" begin with "%s"', (path, command, prefix, name) => {
  const of = path as NetnsPath;
  expect([tool('ip', of), inside(of), nameOf(of)]).toEqual([command, prefix, name]);
});
