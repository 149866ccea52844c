import type { Effect, MemberlistEvent, NetworkInput } from '../swim/effect.ts';
import type { Address } from '../swim/member.ts';
import type { Bytes } from '../wire/bytes.ts';
import type { Filters } from './filter.ts';
import type { SerfMember } from './roster.ts';
import type { SnapshotRecord } from './snapshot.ts';
import type { Tags } from './tags.ts';

export interface QueryOptions extends Filters {
  /** Milliseconds. Default: by the size of the cluster. */
  readonly timeout?: number;
  /** Each node that the query is for says that it got the query. */
  readonly acks?: boolean;
  /** So many nodes pass each response on a second time, against loss. Default: 0. */
  readonly relays?: number;
}

/** What the core of serf is given. Each `command` ends with a `settled` effect. */
export type SerfInput =
  | NetworkInput
  /** `ignoreOld`: user events from before the join are not told. */
  | { readonly type: 'join'; readonly command: number; readonly to: Address; readonly ignoreOld?: boolean }
  | { readonly type: 'leave'; readonly command: number }
  /** A node that failed shall count as left. `prune`: it shall be forgotten. */
  | { readonly type: 'forceLeave'; readonly command: number; readonly name: string; readonly prune: boolean }
  | { readonly type: 'setTags'; readonly command: number; readonly tags: Tags }
  | {
      readonly type: 'userEvent';
      readonly command: number;
      readonly name: string;
      readonly payload: Bytes;
      readonly coalesce: boolean;
    }
  /** Answers come as `answer` effects until the command is settled. */
  | {
      readonly type: 'query';
      readonly command: number;
      readonly name: string;
      readonly payload: Bytes;
      readonly options: QueryOptions;
    }
  | { readonly type: 'respond'; readonly command: number; readonly query: QueryKey; readonly payload: Bytes };

/** What the host of the core has to do, in this order. */
export type SerfEffect =
  | Exclude<Effect, { readonly type: 'event' }>
  | { readonly type: 'event'; readonly event: SerfEvent }
  | { readonly type: 'answer'; readonly command: number; readonly answer: QueryAnswer }
  /** The records belong at the end of the snapshot, or are all that the snapshot has from now on. */
  | { readonly type: 'snapshot'; readonly how: 'append' | 'replace'; readonly records: readonly SnapshotRecord[] };

/** Which query of the cluster. */
export interface QueryKey {
  readonly lTime: number;
  readonly id: number;
}

/** What a node says to a query. */
export type QueryAnswer =
  | { readonly type: 'ack'; readonly from: string }
  | { readonly type: 'response'; readonly from: string; readonly payload: Bytes };

/** An event of memberlist that serf's layer only passes on. */
export type EventBelow = Exclude<MemberlistEvent, { readonly type: 'join' | 'update' | 'leave' | 'message' }>;

export type SerfEvent =
  /** Nodes are alive that were not. */
  | { readonly type: 'join'; readonly members: readonly SerfMember[] }
  /** Nodes have other tags or versions. */
  | { readonly type: 'update'; readonly members: readonly SerfMember[] }
  /** Nodes left by their own will, or were declared to have left. */
  | { readonly type: 'leave'; readonly members: readonly SerfMember[] }
  /** Nodes do not answer. */
  | { readonly type: 'failed'; readonly members: readonly SerfMember[] }
  /** Nodes are forgotten. */
  | { readonly type: 'reap'; readonly members: readonly SerfMember[] }
  | {
      readonly type: 'user';
      readonly name: string;
      readonly payload: Bytes;
      readonly lTime: number;
      readonly coalesce: boolean;
    }
  /** Answer with a `respond` input, in the next `timeout` milliseconds. */
  | {
      readonly type: 'query';
      readonly key: QueryKey;
      readonly name: string;
      readonly payload: Bytes;
      readonly from: string;
      readonly timeout: number;
    }
  /** An operator changed the keys of the cluster: where they are stored, store them again. */
  | { readonly type: 'keys'; readonly keys: readonly Bytes[] }
  /** Most nodes know another node by this node's name. This node should shut down. */
  | { readonly type: 'nameLost'; readonly name: string }
  | EventBelow;
