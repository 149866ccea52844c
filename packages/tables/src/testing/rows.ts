import {
  type EndpointId,
  InterfaceAddress,
  Ip,
  macForIp,
  type Name,
  type NetworkId,
  type NodeId,
} from '@causeway/model';
import { type EncodedRow, encodeRow, type TableRow } from '../wire/row.ts';

export const network = 'f00d000000000001' as NetworkId;
export const otherNetwork = 'f00d000000000002' as NetworkId;

/** An id whose first byte, which chooses the bucket, is spread. */
export function idOf(number: number): EndpointId {
  return (Math.imul(number, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0').padEnd(16, '0') as EndpointId;
}

export function nodeOf(number: number): NodeId {
  return number.toString(16).padStart(16, 'a') as NodeId;
}

export function rowOf(number: number, changed: Partial<TableRow> = {}): TableRow {
  const ip = Ip(`10.66.${number >> 8}.${number & 255}`);
  return {
    id: idOf(number),
    name: `web-${number}` as Name,
    node: nodeOf(1),
    addresses: [InterfaceAddress(`${ip}/16`)],
    mac: macForIp(ip),
    vtep: Ip('192.0.2.1'),
    state: 'active',
    revision: 7n,
    ...changed,
  };
}

export function put(number: number, changed: Partial<TableRow> = {}): { readonly type: 'put' } & EncodedRow {
  return { type: 'put', ...encodeRow(rowOf(number, changed)) };
}
