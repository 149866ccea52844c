import type { Name, NodeId } from './id.ts';
import type { Ip } from './ip.ts';
import type { Labels } from './labels.ts';
import type { Prefix } from './prefix.ts';

/** A host, as its agent reports it and the store keeps it. */
export interface Node {
  readonly id: NodeId;
  readonly name: Name;
  /** The VTEP: address at which other hosts reach the host with VXLAN. Behind a NAT no device of the host has it. */
  readonly dataPath: Ip;
  /** MTU of the device that carries the data path, bytes. */
  readonly underlayMtu: number;
  /** The host needs ESP in UDP for encrypted networks: the UDP port at which other hosts reach it. Absent: it does not. */
  readonly encapPort?: number;
  readonly version: string;
  /** Prefixes to which the host has routes, without default routes; absent: none are known. */
  readonly hostRoutes?: readonly Prefix[];
  /** Absent: none. */
  readonly labels?: Labels;
  /** The host gets no new endpoints: an operator has drained it. Agents do not report this; absent: false. */
  readonly drained?: boolean;
  /** Unix time, ms; absent: the record is older than this field. */
  readonly createdAt?: number;
}
