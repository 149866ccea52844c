import { type Ip, Ip as ip, type Mac } from '@causeway/model';
import { type MessageReader, type MessageWriter, NLM_F_CREATE, NLM_F_DUMP, NLM_F_REPLACE } from '@causeway/netlink';
import { putIp, putMac, readIp, readMac } from './address-bytes.ts';
import * as k from './constants.ts';
import type { EntryState } from './own-entries.ts';

/** struct ndmsg: family, pads, ifindex i32 at 4, state u16 at 8, flags u8 at 10, type u8 at 11. */
const ndmsg = 12;

/**
 * Stands for a tunnel entry that we would never write: without a VTEP, or with a port, VNI or interface of its own.
 * Setting the MAC again repairs the entry; a delete removes the entry whatever its target is.
 */
export const noVtep: Ip = ip('0.0.0.0');

export interface NeighbourRecord {
  readonly index: number;
  readonly ip: Ip;
  readonly mac: Mac;
}

export interface FdbRecord {
  /** Index of the port or vxlan device. */
  readonly index: number;
  readonly mac: Mac;
  readonly target: 'port' | Ip;
}

/** ip neighbour replace IP lladdr MAC dev NAME nud permanent (NOARP entries are evicted silently from a full table) */
export function setNeighbour(to: MessageWriter, index: number, address: Ip, mac: Mac): void {
  to.begin(k.RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
  header(to, familyOf(address), index, k.NUD_PERMANENT, 0);
  putIp(to, k.NDA_DST, address);
  putMac(to, k.NDA_LLADDR, mac);
  to.end();
}

/**
 * ip neighbour change IP lladdr MAC dev NAME nud stale
 * Without NLM_F_CREATE, an entry that the kernel does not have is not made (ENOENT). Packets that wait for the entry are
 * sent (neigh_update).
 */
export function changeNeighbour(to: MessageWriter, index: number, address: Ip, mac: Mac): void {
  to.begin(k.RTM_NEWNEIGH, NLM_F_REPLACE);
  header(to, familyOf(address), index, k.NUD_STALE, 0);
  putIp(to, k.NDA_DST, address);
  putMac(to, k.NDA_LLADDR, mac);
  to.end();
}

/** ip neighbour delete IP dev NAME */
export function deleteNeighbour(to: MessageWriter, index: number, address: Ip): void {
  to.begin(k.RTM_DELNEIGH);
  header(to, familyOf(address), index, 0, 0);
  putIp(to, k.NDA_DST, address);
  to.end();
}

/**
 * bridge fdb replace MAC dev NAME master static, or: … self permanent dst VTEP
 * Without NLM_F_REPLACE the kernel reports success for a unicast MAC that exists, but the entry keeps its old VTEP.
 */
export function setFdb(to: MessageWriter, index: number, mac: Mac, target: 'port' | Ip): void {
  to.begin(k.RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
  fdbBody(to, index, mac, target);
  to.end();
}

/** bridge fdb delete MAC dev NAME master, or: … self dst VTEP */
export function deleteFdb(to: MessageWriter, index: number, mac: Mac, target: 'port' | Ip): void {
  to.begin(k.RTM_DELNEIGH);
  fdbBody(to, index, mac, target);
  to.end();
}

/** ip neighbour get IP dev NAME */
export function getNeighbour(to: MessageWriter, index: number, address: Ip): void {
  to.begin(k.RTM_GETNEIGH);
  header(to, familyOf(address), index, 0, 0);
  putIp(to, k.NDA_DST, address);
  to.end();
}

/** bridge fdb get MAC dev NAME self, or: … master */
export function getFdb(to: MessageWriter, index: number, mac: Mac, of: 'self' | 'master'): void {
  to.begin(k.RTM_GETNEIGH);
  header(to, k.AF_BRIDGE, index, 0, of === 'self' ? k.NTF_SELF : k.NTF_MASTER);
  putMac(to, k.NDA_LLADDR, mac);
  to.end();
}

/** The key of the entry that a message is about. undefined: the message has no key. */
export function readEntryKey(
  message: MessageReader,
): { index: number; mac: Mac } | { index: number; ip: Ip } | undefined {
  const ofBridge = message.u8(0) === k.AF_BRIDGE;
  const index = message.i32(4);
  const attributes = message.attributes(ndmsg);
  while (attributes.next()) {
    const { type, length } = attributes;
    if (ofBridge && type === k.NDA_LLADDR && length === 6) return { index, mac: readMac(attributes) };
    if (!ofBridge && type === k.NDA_DST) return { index, ip: readIp(attributes) };
  }
  return undefined;
}

/**
 * The new state of the entry that a message names, in the terms of `readNeighbour` and `readFdb`. undefined: the message is
 * about another object with the same key, such as a MAC that a device filters by, or the copy of an entry in a VLAN.
 */
export function readEntryState(message: MessageReader, isVxlan: boolean): EntryState | undefined {
  const isGone = message.type === k.RTM_DELNEIGH;
  if (message.u8(0) !== k.AF_BRIDGE) return isGone ? 'absent' : (readNeighbour(message)?.mac ?? 'absent');
  const isSelf = (message.u8(10) & k.NTF_SELF) !== 0;
  if (isSelf !== isVxlan) return undefined;
  if (!isGone) return readFdb(message, () => isVxlan)?.target;
  const attributes = message.attributes(ndmsg);
  while (attributes.next()) if (attributes.type === k.NDA_VLAN) return undefined;
  return 'absent';
}

/** ip neighbour show nud permanent, both families */
export function dumpNeighbours(to: MessageWriter): void {
  to.begin(k.RTM_GETNEIGH, NLM_F_DUMP);
  to.struct(ndmsg);
  to.end();
}

/** bridge fdb show */
export function dumpFdb(to: MessageWriter): void {
  to.begin(k.RTM_GETNEIGH, NLM_F_DUMP);
  to.put8(to.struct(ndmsg), k.AF_BRIDGE);
  to.end();
}

/** undefined: the entry is not permanent, or has no Ethernet address. */
export function readNeighbour(message: MessageReader): NeighbourRecord | undefined {
  const family = message.u8(0);
  if ((family !== k.AF_INET && family !== k.AF_INET6) || (message.u16(8) & k.NUD_PERMANENT) === 0) return undefined;
  let address: Ip | undefined;
  let mac: Mac | undefined;
  const attributes = message.attributes(ndmsg);
  while (attributes.next()) {
    if (attributes.type === k.NDA_DST) address = readIp(attributes);
    else if (attributes.type === k.NDA_LLADDR && attributes.length === 6) mac = readMac(attributes);
  }
  return address === undefined || mac === undefined ? undefined : { index: message.i32(4), ip: address, mac };
}

/**
 * A static entry of a bridge port ("port"), or any `self` entry of a device whose index `isVxlan`. undefined: any other
 * entry. These are entries that a bridge learned, a bridge's entries for a tunnel, and addresses that a device filters by
 * (its own, multicast and synchronised addresses).
 */
export function readFdb(message: MessageReader, isVxlan: (index: number) => boolean): FdbRecord | undefined {
  const index = message.i32(4);
  // An entry is a bridge's when it is not the device's own (NTF_SELF): the kernel sets NTF_MASTER in no message.
  const isSelf = (message.u8(10) & k.NTF_SELF) !== 0;
  const tunnel = isVxlan(index);
  if (isSelf !== tunnel || (!tunnel && message.u16(8) !== k.NUD_NOARP)) return undefined;
  let mac: Mac | undefined;
  let target: 'port' | Ip = tunnel ? noVtep : 'port';
  let diverted = false;
  const attributes = message.attributes(ndmsg);
  while (attributes.next()) {
    const { type } = attributes;
    if (type === k.NDA_LLADDR && attributes.length === 6) mac = readMac(attributes);
    else if (type === k.NDA_DST && tunnel) target = readIp(attributes);
    else if (type === k.NDA_PORT || type === k.NDA_VNI || type === k.NDA_IFINDEX) diverted = true;
    // Our bridges do not filter VLANs, so the kernel never uses the copy that a bridge keeps for each VLAN.
    else if (type === k.NDA_VLAN) return undefined;
  }
  return mac === undefined ? undefined : { index, mac, target: diverted && tunnel ? noVtep : target };
}

function fdbBody(to: MessageWriter, index: number, mac: Mac, target: 'port' | Ip): void {
  if (target === 'port') header(to, k.AF_BRIDGE, index, k.NUD_NOARP, k.NTF_MASTER);
  else header(to, k.AF_BRIDGE, index, k.NUD_PERMANENT, k.NTF_SELF);
  putMac(to, k.NDA_LLADDR, mac);
  if (target !== 'port' && target !== noVtep) putIp(to, k.NDA_DST, target);
}

function header(to: MessageWriter, family: number, index: number, state: number, flags: number): void {
  const at = to.struct(ndmsg);
  to.put8(at, family);
  to.put32(at + 4, index);
  to.put16(at + 8, state);
  to.put8(at + 10, flags);
}

function familyOf(address: Ip): number {
  return address.includes(':') ? k.AF_INET6 : k.AF_INET;
}
