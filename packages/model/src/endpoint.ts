import { type Digests, hash64 } from './digest.ts';
import type { EndpointId, Name, NetworkId, NodeId } from './id.ts';
import type { Ip } from './ip.ts';
import type { Labels } from './labels.ts';
import type { Mac } from './mac.ts';
import type { InterfaceAddress } from './prefix.ts';

/** A container's connection to a network, as the store keeps it. */
export interface Endpoint {
  readonly id: EndpointId;
  readonly network: NetworkId;
  readonly name: Name;
  readonly node: NodeId;
  /** At most one address of each family; IPv4 comes first. */
  readonly addresses: readonly InterfaceAddress[];
  readonly mac: Mac;
  /** Absent: none. */
  readonly labels?: Labels;
  /** Unix time, ms; absent: the record is older than this field. */
  readonly createdAt?: number;
}

/** An endpoint as hosts need it: with the VTEP of its host. */
export interface EndpointRow {
  readonly id: EndpointId;
  readonly name: Name;
  readonly node: NodeId;
  readonly addresses: readonly InterfaceAddress[];
  readonly mac: Mac;
  readonly vtep: Ip;
}

export const endpointDigests: Digests<EndpointRow> = {
  1: ({ id, name, node, addresses, mac, vtep }) => hash64([id, name, node, addresses.join(','), mac, vtep].join('|')),
};
