import type { ClusterId, Ip, NodeId } from '@causeway/model';
import type { Duration } from '@causeway/runtime';
import type { Delay, NodeView, Receipt } from '../protocol/view.ts';
import type { Unsigned } from '../signed-keys.ts';
import type { StoredKeys } from '../stored-keys.ts';
import type { Secrets } from './secrets.ts';

/** All that a host knows of encrypted networks, beside its kernel. */
export interface HostView {
  readonly own: {
    readonly cluster: ClusterId;
    readonly node: NodeId;
    /** The managers have allocated it. */
    readonly index: number;
    /** The VTEP. */
    readonly address: Ip;
  };
  readonly stored: StoredKeys;
  readonly secrets: Secrets;
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
  /** The VTEP. */
  readonly address: Ip;
  readonly receipt?: Receipt;
}
