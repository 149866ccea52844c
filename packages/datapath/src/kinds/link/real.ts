import { assertNever, type Mac, Mac as mac, Vni } from '@causeway/model';
import { type Encode, KernelError, NETLINK_ROUTE } from '@causeway/netlink';
import { ourGroup } from '../../owner.ts';
import { hostNetns, type NetnsPath } from '../../state.ts';
import {
  addBridge,
  addVeth,
  addVxlan,
  deleteLink,
  type LinkRecord,
  type NewLink,
  setLink,
  setPortFlags,
  setVxlanLocal,
} from '../../wire/link.ts';
import type { LinkWrite } from '../../wire/own-links.ts';
import type { Reading, Writing } from '../kind.ts';
import {
  type Bridge,
  type Link,
  type LinkChange,
  type LinkOp,
  newPort,
  portOf,
  type Veth,
  type Vxlan,
} from './link.ts';

/** The MAC given to links without an Ethernet address, which are all foreign: a `Link` must have a MAC. */
const noMac: Mac = mac('00:00:00:00:00:00');

export function applyLink(to: Writing, op: LinkOp): Promise<void> | void {
  switch (op.op) {
    case 'link.add':
      return addLink(to, op.netns, op.link);
    case 'link.set':
      return changeLink(to, op.netns, op.name, op.change);
    case 'link.delete':
      return to.socket(op.netns, NETLINK_ROUTE).request(deleteLink(to.linkIndex(op.netns, op.name)));
    default:
      return assertNever(op);
  }
}

/** Only of pairs: a network's bridge and vxlan device are made once, and everything is read after that anyway. */
export function writtenLink(op: LinkOp): LinkWrite | undefined {
  if (op.op === 'link.set') return { kind: 'changed', name: op.name, change: op.change };
  if (op.op !== 'link.add' || op.link.kind !== 'veth') return undefined;
  const { name, mac, mtu, up } = op.link;
  const port = portOf(op.link);
  return { kind: 'made', link: { name, mac, mtu, up, ...(port && { bridgePort: newPort(port.master) }) } };
}

export function readLinks({ links, names, isHostNetns }: Reading): ReadonlyMap<string, Link> {
  return new Map([...links.values()].map((record) => [record.name, toLink(record, names, isHostNetns)]));
}

/** A vxlan device that differs in an unchangeable property, or has settings that we never use, is not ours: foreign. */
function toLink(record: LinkRecord, names: ReadonlyMap<number, string>, isHostNetns: boolean): Link {
  const { name, mtu, up, kind, vxlan, master } = record;
  const base = { name, mac: record.mac ?? noMac, mtu, up };
  const bridgePort = master !== undefined &&
    record.port && { bridgePort: { master: names.get(master) ?? '', ...record.port } };
  if (kind === 'bridge') return { kind, ...base };
  if (kind === 'veth') return { kind, ...base, ...bridgePort };
  if (vxlan?.plain && vxlan.local !== undefined && (isHostNetns || record.crossesNamespaces)) {
    const { plain: _, ...tunnel } = vxlan;
    return { kind: 'vxlan', ...base, ...tunnel, vni: Vni(vxlan.vni), local: vxlan.local, ...bridgePort };
  }
  return { kind: 'foreign', ...base };
}

/** One message, sent in the namespace that the link is made in; for a vxlan device, sent in the host namespace. */
function addLink(to: Writing, netns: NetnsPath, link: Bridge | Vxlan | Veth): Promise<void> | void {
  const socket = to.socket(netns, NETLINK_ROUTE);
  const { name, mac: address, mtu, up } = link;
  const port = portOf(link);
  const base: NewLink = {
    name,
    mac: address,
    mtu,
    up,
    ...(port && { master: to.linkIndex(netns, port.master) }),
    ...(netns === hostNetns && { group: ourGroup }),
  };
  switch (link.kind) {
    case 'bridge':
      return socket.request(addBridge(base));
    case 'veth':
      socket.request(pair(to, link, base));
      if (base.master !== undefined) to.joined(netns, name, base.master);
      return;
    case 'vxlan':
      return addTunnel(to, netns, link, base);
    default:
      return assertNever(link);
  }
}

/** Sets only the properties that change, in the order that LinkChange promises. */
function changeLink(to: Writing, netns: NetnsPath, name: string, change: LinkChange): void {
  const socket = to.socket(netns, NETLINK_ROUTE);
  const index = to.linkIndex(netns, name);
  const { mac: newMac, mtu, local, bridgePort, up } = change;
  // Setting the MAC that the link already has would flush the neighbours as well.
  if (newMac !== undefined && newMac !== to.link(netns, name).mac) socket.request(setLink(index, { mac: newMac }));
  if (mtu !== undefined) socket.request(setLink(index, { mtu }));
  if (local !== undefined) socket.request(setVxlanLocal(index, local));
  if (bridgePort !== undefined) {
    const master = to.linkIndex(netns, bridgePort.master);
    if (master !== to.masterOf(netns, name)) socket.request(setLink(index, { master }));
    socket.request(setPortFlags(index, bridgePort));
  }
  if (up !== undefined) socket.request(setLink(index, { up }));
}

function pair(to: Writing, link: Veth, base: NewLink): Encode {
  const { peer } = link;
  if (peer === undefined) throw new KernelError('EINVAL', `the other end of "${link.name}" makes the pair`);
  const netns = to.fd(peer.netns);
  if (netns === undefined) throw new KernelError('EINVAL', 'the other end of a pair is made in a namespace of its own');
  return addVeth({ ...base, peer: { ...peer, netns } });
}

/**
 * EEXIST: the name is taken, for good; or another device has the VNI. A device of ours that was moved to another namespace is
 * deleted there. A device whose namespace is being destroyed may soon be gone.
 */
async function addTunnel(to: Writing, netns: NetnsPath, link: Vxlan, base: NewLink): Promise<void> {
  const { vni, port, sourcePort, local, name } = link;
  const ports = { port, ...(sourcePort !== undefined && { sourcePort }) };
  const fd = to.fd(netns);
  const add = (): void => {
    const there = fd === undefined ? {} : { netns: fd };
    to.socket(hostNetns, NETLINK_ROUTE).request(addVxlan({ ...base, vni, ...ports, local, ...there }));
  };
  const isVniTaken = (errno: string): boolean => errno === 'EEXIST' && !to.hasLink(netns, name);
  try {
    add();
    return;
  } catch (error) {
    if (!(error instanceof KernelError) || !isVniTaken(error.errno)) throw error;
  }
  await to.deleteMoved(netns, (found) => holdsVni(link, found) && isOurTunnel(link, found));
  try {
    await to.patiently(add, isVniTaken);
  } catch (error) {
    if (!(error instanceof KernelError) || !isVniTaken(error.errno)) throw error;
    const holder = await to.whereIs((found) => holdsVni(link, found));
    throw new KernelError('EEXIST', `VNI ${vni} on port ${port} is in use by ${holder}: delete that link`);
  }
}

function holdsVni({ vni, port }: Vxlan, { kind, vxlan }: LinkRecord): boolean {
  return kind === 'vxlan' && vxlan?.vni === vni && vxlan.port === port;
}

/** Whether the device was made by us, wherever it is now. Only we give a tunnel this MAC and these properties. */
function isOurTunnel(link: Vxlan, { mac: has, vxlan }: LinkRecord): boolean {
  return has === link.mac && vxlan?.plain === true;
}
