import { family, minimumMtu } from '@causeway/model';
import {
  type Bridge,
  type BridgePort,
  type Link,
  type LinkChange,
  type LinkOp,
  newPort,
  portOf,
  type Veth,
  type VethPeer,
  type Vxlan,
} from '../../kinds/link/link.ts';
import { ourGroup } from '../../owner.ts';
import { linkCases } from '../contract/link.ts';
import { type FakeHost, type FakeLink, type FakeNamespace, findLink, Refusal } from '../fake/host.ts';
import type { Twin } from '../twin.ts';

/** IFNAMSIZ is 16, including the final zero. */
const longestName = 15;
/** ETH_MIN_MTU and ETH_MAX_MTU: the limits of bridge, vxlan and veth. */
const mtuBounds = { least: 68, most: 65_535 };

export const link: Twin<LinkOp> = {
  execute(namespace, op, host) {
    if (op.op === 'link.add') addLink(host, namespace, op.link);
    else if (op.op === 'link.set') setLink(host, namespace, op.name, op.change);
    else host.removeLink(namespace, op.name);
  },
  view: (_, links) => new Map([...links].map(([name, found]) => [name, found.link])),
  cases: linkCases,
  drift({ overlay: netns, devs, containers, macs }) {
    return [
      devs.map((name) => ({ op: 'link.delete', netns, name })),
      devs.flatMap((name) => [true, false].map((up) => ({ op: 'link.set', netns, name, change: { up } }) as const)),
      devs.flatMap((name) => macs.map((mac) => ({ op: 'link.set', netns, name, change: { mac } }) as const)),
      devs.flatMap((name) => [1000, 1300].map((mtu) => ({ op: 'link.set', netns, name, change: { mtu } }) as const)),
      containers.map((each) => ({ op: 'link.delete', netns: each.netns, name: 'eth0' })),
      containers.flatMap((each) =>
        macs.map((mac) => ({ op: 'link.set', netns: each.netns, name: 'eth0', change: { mac } }) as const),
      ),
      containers.map((each) => ({ op: 'link.set', netns: each.netns, name: 'eth0', change: { up: false } })),
      containers.map((each) => ({ op: 'link.set', netns: each.netns, name: 'eth0', change: { mtu: 1000 } })),
    ];
  },
};

/** ip link add */
function addLink(host: FakeHost, namespace: FakeNamespace, desired: Bridge | Vxlan | Veth): void {
  checkName(namespace, desired.name);
  checkMtu(desired.mtu);
  const port = portOf(desired);
  if (port !== undefined) findLink(namespace, port.master);
  if (desired.kind === 'veth') {
    if (desired.peer === undefined) throw new Refusal('EINVAL', 'a veth needs its peer');
    addPair(host, namespace, desired, desired.peer);
  } else {
    if (desired.kind === 'vxlan') host.takeTunnel(desired, namespace);
    host.addLink(namespace, asNew(desired), groupOf(namespace));
  }
}

/** ip link set, bridge link set */
function setLink(host: FakeHost, namespace: FakeNamespace, name: string, change: LinkChange): void {
  const found = findLink(namespace, name);
  if (change.mac !== undefined) setMac(host, namespace, found, change.mac);
  if (change.mtu !== undefined) setMtu(host, namespace, found, change.mtu);
  if (change.local !== undefined) setLocal(found, change.local);
  if (change.bridgePort !== undefined) setPort(host, namespace, found, change.bridgePort);
  if (change.up !== undefined) setUp(host, namespace, found, change.up);
  host.changed(namespace, name);
  // The carrier of the other end changes with this end.
  if (change.up !== undefined && found.other !== undefined) host.changed(found.other.namespace, found.other.name);
}

function addPair(host: FakeHost, namespace: FakeNamespace, desired: Veth, peer: VethPeer): void {
  const container = host.namespace(peer.netns);
  checkName(container, peer.name);
  checkMtu(peer.mtu);
  const end: Veth = { kind: 'veth', name: peer.name, mac: peer.mac, mtu: peer.mtu, up: false };
  host.addLink(container, end, { other: { namespace, name: desired.name } });
  const other = { namespace: container, name: peer.name };
  host.addLink(namespace, asNew(desired), { other, ...groupOf(namespace) });
}

function groupOf({ isHostNetns }: FakeNamespace): Pick<FakeLink, 'group'> {
  return { group: isHostNetns ? ourGroup : 0 };
}

/** The link as it is found right after it was made: a port learns and floods, a veth has no `peer`. */
function asNew(desired: Bridge | Vxlan | Veth): Link {
  if (desired.kind === 'bridge') return desired;
  const { bridgePort, ...rest } = desired;
  const port = bridgePort && { bridgePort: newPort(bridgePort.master) };
  if (rest.kind === 'vxlan') return { ...rest, ...port };
  const { peer: _, ...end } = rest;
  return { ...end, ...port };
}

function setMac(host: FakeHost, namespace: FakeNamespace, found: FakeLink, mac: Link['mac']): void {
  if (found.link.mac === mac) return;
  found.link = { ...found.link, mac };
  host.happen(namespace, found, 'new MAC');
}

function setMtu(host: FakeHost, namespace: FakeNamespace, found: FakeLink, mtu: number): void {
  checkMtu(mtu);
  const had = found.link.mtu >= minimumMtu;
  found.link = { ...found.link, mtu };
  if (mtu < minimumMtu) host.happen(namespace, found, 'no IPv6');
  else if (!had) host.happen(namespace, found, 'IPv6 again');
}

function setLocal(found: FakeLink, local: Vxlan['local']): void {
  if (found.link.kind !== 'vxlan') throw new Refusal('EOPNOTSUPP', 'not a vxlan device');
  if (family(found.link.local) !== family(local)) {
    throw new Refusal('EOPNOTSUPP', 'New local address family does not match old');
  }
  found.link = { ...found.link, local };
}

function setPort(host: FakeHost, namespace: FakeNamespace, found: FakeLink, bridgePort: BridgePort): void {
  if (findLink(namespace, bridgePort.master).link.kind !== 'bridge') throw new Refusal('EOPNOTSUPP', 'not a bridge');
  if (found.link.kind === 'bridge') throw new Refusal('ELOOP', 'Can not enslave a bridge to a bridge');
  if (found.link.kind === 'foreign') throw new Refusal('EINVAL', 'Device type not supported');
  if (portOf(found.link)?.master !== bridgePort.master) host.leaveBridge(namespace, found);
  found.link = { ...found.link, bridgePort };
}

function setUp(host: FakeHost, namespace: FakeNamespace, found: FakeLink, up: boolean): void {
  if (found.link.up === up) return;
  found.link = { ...found.link, up };
  if (!up) host.happen(namespace, found, 'down');
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
