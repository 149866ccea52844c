import {
  addressOf,
  type EndpointId,
  type EndpointRow,
  family,
  type InterfaceAddress,
  type Ip,
  interfaceAddress,
  ipBytes,
  ipFromBytes,
  lengthOf,
  macBytes,
  macFromBytes,
  type NodeId,
  parseName,
  width,
} from '@causeway/model';
import { type Bytes, type Reader, utf8, Writer } from './bytes.ts';

/** An endpoint as it rides in gossip. */
export interface TableRow extends EndpointRow {
  /** Suspended: managers believe that the host is not reachable. The row stays. */
  readonly state: 'active' | 'suspended';
  /** Revision of the newest change of the row in the store. */
  readonly revision: bigint;
}

/** A row with the bytes that stand for it. A row has exactly one form, so equal rows have equal bytes. */
export interface EncodedRow {
  readonly row: TableRow;
  readonly bytes: Bytes;
}

export type RowChange = ({ readonly type: 'put' } & EncodedRow) | { readonly type: 'removed'; readonly id: EndpointId };

const suspended = 1;
const vtepIsV6 = 2;
const secondIsV6 = 32;
const firstIsV6 = 16;
const isRemoved = 64;

/** An endpoint has at most one address of each family. */
const maxAddresses = 2;

/** `id | flags | revision | node | MAC | VTEP | addresses, each with its length | name`, about 50 bytes. */
export function encodeRow(row: TableRow): EncodedRow {
  const [first, second] = row.addresses;
  const flags =
    (row.state === 'suspended' ? suspended : 0) |
    (family(row.vtep) === 6 ? vtepIsV6 : 0) |
    (row.addresses.length << 2) |
    (first !== undefined && isV6(first) ? firstIsV6 : 0) |
    (second !== undefined && isV6(second) ? secondIsV6 : 0);
  const writer = new Writer().id(row.id).u8(flags).u64(row.revision).id(row.node);
  writer.raw(macBytes(row.mac)).raw(ipBytes(row.vtep));
  for (const address of row.addresses) writer.raw(ipBytes(addressOf(address))).u8(lengthOf(address));
  return { row, bytes: writer.short(utf8(row.name)).done() };
}

export function encodeChange(change: RowChange): Bytes {
  return change.type === 'put' ? change.bytes : new Writer().id(change.id).u8(isRemoved).done();
}

/** Reads one change. Fails the reader if a part has a form that `encodeRow` does not write. */
export function readChange(reader: Reader): RowChange | undefined {
  const from = reader.at;
  const id = reader.id() as EndpointId;
  const flags = reader.u8();
  if (flags === isRemoved) return reader.isOk ? { type: 'removed', id } : undefined;
  const count = (flags >> 2) & 3;
  const unused = flags & (isRemoved | 128 | (count < 1 ? firstIsV6 : 0) | (count < maxAddresses ? secondIsV6 : 0));
  if (unused !== 0 || count > maxAddresses) reader.fail();
  const revision = reader.u64();
  const node = reader.id() as NodeId;
  const mac = macFromBytes(reader.raw(6));
  const vtep = readIp(reader, (flags & vtepIsV6) !== 0);
  const addresses: InterfaceAddress[] = [];
  for (let i = 0; i < count && reader.isOk; i++) {
    const ip = readIp(reader, (flags & (i === 0 ? firstIsV6 : secondIsV6)) !== 0);
    const length = reader.u8();
    if (ip === undefined || length > width(family(ip))) reader.fail();
    else addresses.push(interfaceAddress(ip, length));
  }
  const name = parseName(reader.text(reader.u8()));
  if (!reader.isOk || !name.ok || vtep === undefined) {
    reader.fail();
    return undefined;
  }
  const state = (flags & suspended) === 0 ? 'active' : 'suspended';
  const row = { id, name: name.value, node, addresses, mac, vtep, state, revision } as const;
  // A copy: a row outlives the datagram that it came in.
  return { type: 'put', row, bytes: reader.since(from).slice() };
}

function readIp(reader: Reader, is6: boolean): Ip | undefined {
  const bytes = reader.raw(is6 ? 16 : 4);
  return reader.isOk ? ipFromBytes(bytes) : undefined;
}

function isV6(address: InterfaceAddress): boolean {
  return family(addressOf(address)) === 6;
}
