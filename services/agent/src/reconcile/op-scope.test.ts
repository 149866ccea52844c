import { bridgeName, hostEnd, hostNetns, type NetnsPath, type Op, overlayNetns, vxlanName } from '@causeway/datapath';
import { type EndpointId, Ip, Mac, type Name, type NodeId, type RequestId } from '@causeway/model';
import { expect, it } from 'vitest';
import type { Sandbox } from '../disk/sandbox.ts';
import { endpointRow, testNetwork } from '../testing/table.ts';
import { affectsSharedLink, endpointOf } from './op-scope.ts';

const overlay = overlayNetns(testNetwork.id);
const [web, db] = ['/run/netns/web', '/run/netns/db'] as NetnsPath[] as [NetnsPath, NetnsPath];
const sandboxOf = (n: number, netns: NetnsPath, ifname = 'eth0'): Sandbox => ({
  endpoint: { ...endpointRow(n), network: testNetwork.id, node: 'h1' as NodeId, name: `e${n}` as Name },
  ...{ claimed: { epoch: 1n, revision: 1n }, requestId: '' as RequestId, netns, identity: netns, ifname },
  gateway: { priority: 0, slot: 0 },
});
const [a, b] = [sandboxOf(0xa1_0000_0000, web), sandboxOf(0xb2_0000_0000, db, 'net1')];
const [portA, portB] = [a, b].map(({ endpoint }) => hostEnd(endpoint.id as EndpointId)) as [string, string];
const up = (netns: NetnsPath, name: string): Op => ({ op: 'link.set', netns, name, change: { up: true } });
const neighbour = (netns: NetnsPath, dev: string): Op => {
  return { op: 'neighbour.set', netns, dev, ip: Ip('10.0.0.2'), mac: Mac('02:42:0a:00:00:02') };
};

it.each<[string, Op, Sandbox | undefined]>([
  ['its end of the pair in the overlay', up(overlay, portA), a],
  ["another endpoint's end of the pair", up(overlay, portB), b],
  ['the bridge, which all need', up(overlay, bridgeName), undefined],
  ['an entry of the tunnel, which all need', neighbour(overlay, vxlanName), undefined],
  ['its interface in the container', up(db, 'net1'), b],
  ['another interface of the container', up(db, 'eth0'), undefined],
  ['the namespace of the container', { op: 'netns.add', netns: web }, a],
  ['an interface of the same name elsewhere', up(hostNetns, 'eth0'), undefined],
])('the only endpoint that needs an op on %s', (_, op, of) => {
  expect(endpointOf(op, [a, b])).toBe(of?.endpoint.id);
});

it.each<[string, Op, boolean]>([
  ['the bridge of an overlay', up(overlay, bridgeName), true],
  ['the tunnel of an overlay', up(overlay, vxlanName), true],
  ['the overlay itself', { op: 'netns.add', netns: overlay }, true],
  ['one port of the bridge', up(overlay, portA), false],
  ['a bridge of that name in a container', up(web, bridgeName), false],
  ['an entry of the bridge', neighbour(overlay, bridgeName), false],
])('a link that all endpoints share changes by an op on %s', (_, op, isShared) => {
  expect(affectsSharedLink(op)).toBe(isShared);
});
