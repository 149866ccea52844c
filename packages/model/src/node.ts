import type { Name, NodeId } from './id.ts';
import type { Ip } from './ip.ts';
import type { Labels } from './labels.ts';
import type { Prefix } from './prefix.ts';

/** A host, as its agent introduces it and the store keeps it. */
export interface Node {
  readonly id: NodeId;
  readonly name: Name;
  /** The VTEP: where the host receives VXLAN. */
  readonly dataPath: Ip;
  /** MTU of the device that carries `dataPath`, bytes. */
  readonly underlayMtu: number;
  readonly version: string;
  /** Prefixes it has routes to beside the default ones; absent: none that are known. */
  readonly hostRoutes?: readonly Prefix[];
  /** Absent: none. */
  readonly labels?: Labels;
  /** Unix time, milliseconds; absent: its record is from before this was kept. */
  readonly createdAt?: number;
}
