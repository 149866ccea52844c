import { family, type Ip, ipBytes, ipFromBytes, type Prefix } from '@causeway/model';
import type { AttributeReader, MessageWriter } from '@causeway/netlink';
import { AF_INET, AF_INET6 } from './constants.ts';
import * as k from './xfrm-constants.ts';

/** struct xfrm_selector, and the offsets of its fields. */
export const selectorSize = 56;
const at = { dst: 0, src: 16, dport: 32, dportMask: 34, sport: 36, sportMask: 38, family: 40, dstLength: 42 } as const;
const srcLengthAt = 43;
const protocolAt = 44;
const wholePort = 0xffff;

/** The UDP packets that a policy is about. */
export interface Selector {
  readonly src: Prefix;
  readonly dst: Prefix;
  /** UDP ports; absent: any. */
  readonly sport?: number;
  readonly dport?: number;
}

export function familyNumber(ip: Ip): number {
  return family(ip) === 4 ? AF_INET : AF_INET6;
}

/** Writes an address into the 16 bytes at `offset`. */
export function putAddress(to: MessageWriter, offset: number, ip: Ip): void {
  to.buffer.set(ipBytes(ip), offset);
}

/** The bytes of an address, by family. */
const addressSize: ReadonlyMap<number, number> = new Map([
  [AF_INET, 4],
  [AF_INET6, 16],
]);

/** Reads two addresses of one family from the 16 bytes at each offset. undefined: neither IPv4 nor IPv6. */
export function readAddressesAt(
  bytes: Uint8Array,
  offsets: { readonly src: number; readonly dst: number },
  familyOf: number,
): { readonly src: Ip; readonly dst: Ip } | undefined {
  const size = addressSize.get(familyOf);
  if (size === undefined) return undefined;
  const read = (offset: number): Ip => ipFromBytes(bytes.subarray(offset, offset + size));
  return { src: read(offsets.src), dst: read(offsets.dst) };
}

export function putSelector(to: MessageWriter, offset: number, { src, dst, sport, dport }: Selector): void {
  putPair(to, offset, splitPrefix(src), splitPrefix(dst));
  to.put8(offset + protocolAt, k.IPPROTO_UDP);
  if (dport !== undefined) {
    to.put16be(offset + at.dport, dport);
    to.put16be(offset + at.dportMask, wholePort);
  }
  if (sport !== undefined) {
    to.put16be(offset + at.sport, sport);
    to.put16be(offset + at.sportMask, wholePort);
  }
}

/** A selector of all packets from one address to another. */
export function putPairSelector(to: MessageWriter, offset: number, src: Ip, dst: Ip): void {
  putPair(to, offset, { ip: src, length: ipBytes(src).length * 8 }, { ip: dst, length: ipBytes(dst).length * 8 });
}

/** undefined: a selector that no policy of ours has: of another protocol than UDP, or with a range of ports. */
export function readSelector(bytes: Uint8Array): Selector | undefined {
  const view = viewOf(bytes);
  const ends = readAddressesAt(bytes, at, view.getUint16(at.family, true));
  const [sport, dport] = [readPort(view, at.sport), readPort(view, at.dport)];
  if (ends === undefined || sport === 'range' || dport === 'range') return undefined;
  if (view.getUint8(protocolAt) !== k.IPPROTO_UDP) return undefined;
  return {
    src: `${ends.src}/${view.getUint8(srcLengthAt)}` as Prefix,
    dst: `${ends.dst}/${view.getUint8(at.dstLength)}` as Prefix,
    ...(sport !== 'any' && { sport }),
    ...(dport !== 'any' && { dport }),
  };
}

/** Whether it is the selector that `putPairSelector` writes. */
export function isPairSelector(bytes: Uint8Array, src: Ip, dst: Ip): boolean {
  const view = viewOf(bytes);
  const ends = readAddressesAt(bytes, at, view.getUint16(at.family, true));
  const width = ipBytes(dst).length * 8;
  return (
    ends?.src === src &&
    ends.dst === dst &&
    view.getUint8(srcLengthAt) === width &&
    view.getUint8(at.dstLength) === width &&
    view.getUint8(protocolAt) === 0
  );
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The first attribute of the type, in the datagram; undefined: there is none. */
export function attributeOf(attributes: AttributeReader, type: number): Uint8Array | undefined {
  while (attributes.next()) if (attributes.type === type) return attributes.slice();
  return undefined;
}

interface Side {
  readonly ip: Ip;
  readonly length: number;
}

function putPair(to: MessageWriter, offset: number, src: Side, dst: Side): void {
  putAddress(to, offset + at.dst, dst.ip);
  putAddress(to, offset + at.src, src.ip);
  to.put16(offset + at.family, familyNumber(dst.ip));
  to.put8(offset + at.dstLength, dst.length);
  to.put8(offset + srcLengthAt, src.length);
}

function splitPrefix(prefix: Prefix): Side {
  const slash = prefix.indexOf('/');
  return { ip: prefix.slice(0, slash) as Ip, length: Number(prefix.slice(slash + 1)) };
}

function readPort(view: DataView, offset: number): number | 'any' | 'range' {
  const mask = view.getUint16(offset + 2);
  if (mask === 0) return 'any';
  return mask === wholePort ? view.getUint16(offset) : 'range';
}
