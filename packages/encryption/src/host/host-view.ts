import type { ClusterId, Ip, NodeId } from '@causeway/model';
import type { Duration } from '@causeway/runtime';
import type { Delay, NodeView, Receipt } from '../protocol/view.ts';
import type { Unsigned } from '../signed-keys.ts';
import type { StoredKeys } from '../stored-keys.ts';
import type { PossibleSas } from './possible-sas.ts';

/** All that a host knows of encrypted networks, beside its kernel. */
export interface HostView {
  readonly own: {
    readonly cluster: ClusterId;
    readonly node: NodeId;
    /** The managers have allocated it. */
    readonly index: number;
    /** The address from which the host sends, and at which its packets arrive: an address of a device. */
    readonly address: Ip;
    /** The host needs ESP in UDP, because a NAT is before it: the port at which peers reach it. Absent: it does not. */
    readonly encapPort?: number;
  };
  readonly stored: StoredKeys;
  readonly sas: PossibleSas;
  readonly published: NodeView['published'];
  /** Hosts that share an encrypted network with this host. */
  readonly peers: ReadonlyMap<NodeId, PeerOfHost>;
  /** The delay of the plan before. */
  readonly delay?: Delay;
  /** How often the host makes a new key. */
  readonly period: Duration;
}

export interface PeerOfHost {
  /** Verified. */
  readonly keys: Unsigned;
  /** The VTEP: the address at which the peer is reached. */
  readonly address: Ip;
  readonly receipt?: Receipt;
}
