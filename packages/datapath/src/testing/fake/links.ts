import { family, familyOf, minimumMtu } from '@causeway/model';
import type { LinkChange } from '../../op.ts';
import type { Bridge, BridgePort, Link, Veth, VethPeer, Vxlan } from '../../state.ts';
import {
  type FakeHost,
  type FakeLink,
  type FakeNamespace,
  findLink,
  leaveBridge,
  masterOf,
  Refusal,
  removeRoutes,
} from './host.ts';
import { followMtu } from './sysctls.ts';

/** IFNAMSIZ is 16 with its closing zero. */
const longestName = 15;
/** ETH_MIN_MTU and ETH_MAX_MTU: of bridge, vxlan and veth alike. */
const mtuBounds = { least: 68, most: 65_535 };

/** ip link add */
export function addLink(host: FakeHost, namespace: FakeNamespace, wanted: Bridge | Vxlan | Veth): void {
  checkName(namespace, wanted.name);
  checkMtu(wanted.mtu);
  const master = masterOf(wanted);
  if (master !== undefined) findLink(namespace, master);
  if (wanted.kind === 'veth') {
    if (wanted.peer === undefined) throw new Refusal('EINVAL', 'a veth needs its peer');
    addPair(host, namespace, wanted, wanted.peer);
  } else {
    if (wanted.kind === 'vxlan') host.takeTunnel(wanted);
    host.addLink(namespace, asNew(wanted));
  }
}

/** ip link set, bridge link set */
export function setLink(host: FakeHost, namespace: FakeNamespace, name: string, change: LinkChange): void {
  const found = findLink(namespace, name);
  if (change.mac !== undefined) setMac(found, change.mac);
  if (change.mtu !== undefined) setMtu(namespace, found, change.mtu);
  if (change.local !== undefined) setLocal(found, change.local);
  if (change.bridgePort !== undefined) setPort(namespace, found, change.bridgePort);
  if (change.up !== undefined) setUp(namespace, found, change.up);
  host.changed(namespace, name);
  // The other end's carrier comes and goes with it.
  if (change.up !== undefined && found.other !== undefined) host.changed(found.other.namespace, found.other.name);
}

function addPair(host: FakeHost, namespace: FakeNamespace, wanted: Veth, peer: VethPeer): void {
  const container = host.namespace(peer.netns);
  checkName(container, peer.name);
  checkMtu(peer.mtu);
  const end: Veth = { kind: 'veth', name: peer.name, mac: peer.mac, mtu: peer.mtu, up: false };
  host.addLink(container, end, { namespace, name: wanted.name });
  host.addLink(namespace, asNew(wanted), { namespace: container, name: peer.name });
}

/** As found right after it was made: a port learns and floods, a veth's peer is not told. */
function asNew(wanted: Bridge | Vxlan | Veth): Link {
  if (wanted.kind === 'bridge') return wanted;
  const { bridgePort, ...rest } = wanted;
  const port = bridgePort && { bridgePort: { master: bridgePort.master, learning: true, flood: true } };
  if (rest.kind === 'vxlan') return { ...rest, ...port };
  const { peer: _, ...end } = rest;
  return { ...end, ...port };
}

function setMac(found: FakeLink, mac: Link['mac']): void {
  if (found.link.mac === mac) return;
  found.link = { ...found.link, mac };
  found.neighbours.clear();
}

function setMtu(namespace: FakeNamespace, found: FakeLink, mtu: number): void {
  checkMtu(mtu);
  followMtu(namespace.sysctls, found.link.name, found.link.mtu, mtu);
  found.link = { ...found.link, mtu };
  if (mtu < minimumMtu) dropIpv6(namespace, found);
}

function setLocal(found: FakeLink, local: Vxlan['local']): void {
  if (found.link.kind !== 'vxlan') throw new Refusal('EOPNOTSUPP', 'not a vxlan device');
  if (family(found.link.local) !== family(local)) {
    throw new Refusal('EOPNOTSUPP', 'New local address family does not match old');
  }
  found.link = { ...found.link, local };
}

function setPort(namespace: FakeNamespace, found: FakeLink, bridgePort: BridgePort): void {
  if (findLink(namespace, bridgePort.master).link.kind !== 'bridge') throw new Refusal('EOPNOTSUPP', 'not a bridge');
  if (found.link.kind === 'bridge') throw new Refusal('ELOOP', 'Can not enslave a bridge to a bridge');
  if (found.link.kind === 'foreign') throw new Refusal('EINVAL', 'Device type not supported');
  if (masterOf(found.link) !== bridgePort.master) leaveBridge(found);
  found.link = { ...found.link, bridgePort };
}

function setUp(namespace: FakeNamespace, found: FakeLink, up: boolean): void {
  if (found.link.up === up) return;
  found.link = { ...found.link, up };
  if (up) return;
  found.neighbours.clear();
  removeRoutes(namespace, (route) => route.dev === found.link.name);
  dropIpv6(namespace, found);
}

function dropIpv6(namespace: FakeNamespace, found: FakeLink): void {
  for (const address of found.addresses) if (familyOf(address) === 6) found.addresses.delete(address);
  for (const ip of found.neighbours.keys()) if (family(ip) === 6) found.neighbours.delete(ip);
  removeRoutes(namespace, (route) => route.dev === found.link.name && familyOf(route.dst) === 6);
}

function checkName(namespace: FakeNamespace, name: string): void {
  if (name.length > longestName) throw new Refusal('ERANGE', 'Attribute failed policy validation');
  if (name === '' || /[/:\s]/.test(name)) throw new Refusal('EINVAL', `"${name}" is not a name for a link`);
  if (namespace.links.has(name)) throw new Refusal('EEXIST', `a link named ${name} exists`);
}

function checkMtu(mtu: number): void {
  if (mtu < mtuBounds.least) throw new Refusal('EINVAL', 'mtu less than device minimum');
  if (mtu > mtuBounds.most) throw new Refusal('EINVAL', 'mtu greater than device maximum');
}
