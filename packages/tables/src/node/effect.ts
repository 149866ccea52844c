import type { NetworkId } from '@causeway/model';
import type { Why } from '../guard/refusals.ts';
import type { VouchedKey } from '../keys/vouched-key.ts';
import type { LiveSet } from '../table/live-set.ts';
import type { Bytes } from '../wire/bytes.ts';
import type { Position } from '../wire/position.ts';
import type { RowChange } from '../wire/row.ts';
import type { Peer } from './peer.ts';

/** What the node is given. */
export type Input =
  /** Give this when `nextWake` has come. Late is harmless, early does nothing. */
  | { readonly type: 'timer' }
  /** A frame from the member with this name. The host of the node knows the name by the address that the frame came from. */
  | { readonly type: 'frame'; readonly from: string; readonly bytes: Bytes }
  /** All peers, after a change. */
  | { readonly type: 'peers'; readonly peers: readonly Peer[] }
  /** The node keeps the table of the network from now on. */
  | { readonly type: 'follow'; readonly network: NetworkId }
  | { readonly type: 'unfollow'; readonly network: NetworkId }
  /** A table key, from a source of which the host is sure: the manager itself, or a session with a manager. */
  | { readonly type: 'key'; readonly key: VouchedKey }
  /** The manager is no part of the cluster any more: its keys sign nothing. */
  | { readonly type: 'managerRemoved'; readonly manager: string }
  /** On managers: the store has these rows at this revision. */
  | {
      readonly type: 'publish';
      readonly network: NetworkId;
      readonly epoch: bigint;
      readonly revision: bigint;
      readonly live: LiveSet;
    };

/** What the host of the node has to do. */
export type Effect =
  /** As a user message of memberlist: a datagram, or by a stream. */
  | { readonly type: 'send'; readonly to: string; readonly bytes: Bytes; readonly isReliable: boolean }
  /** The table of a network is at this position now. */
  | {
      readonly type: 'changed';
      readonly network: NetworkId;
      readonly position: Position;
      readonly changes: readonly RowChange[];
    }
  | { readonly type: 'refused'; readonly from: string; readonly why: Why };
