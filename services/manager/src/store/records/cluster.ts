import { type ClusterId, parseClusterId, unwrap } from '@causeway/model';
import { type Decoded, type JsonObject, number, recordCodec, text, textCodec } from './codec.ts';
import type { RecordKind, Stamped } from './kind.ts';
import { SingleIndex } from './map-index.ts';

/** The cluster's own record. A manager that knows only an older schema must not write. */
export interface Meta {
  readonly clusterId: ClusterId;
  /** Rises when the store is restored from a backup. */
  readonly epoch: bigint;
  readonly schema: number;
}

/** The cluster's record, as the view keeps it. */
export interface Cluster {
  readonly id: ClusterId;
  readonly epoch: bigint;
  /** Schema of the newest records. A manager that knows only an older schema must not write. */
  readonly schema: number;
  /** Revision of the record. */
  readonly revision: bigint;
  readonly original?: JsonObject;
}

/** Value of the leader key, as the leader wrote it. */
export interface LeaderClaim {
  readonly name: string;
  /** Host:port of the leader's gRPC service. */
  readonly address: string;
  /** When the leader was elected, by its own clock, Unix ms. */
  readonly since: number;
  /** Lease of the leader key. Another manager revokes it when the leader's process is gone. Absent in older versions. */
  readonly lease?: bigint;
}

export interface LeaderRecord extends LeaderClaim {
  /** Create revision of the leader key. The fence in every write compares it. */
  readonly term: bigint;
}

/** Mark of the last transaction that had only events: its text, and its revision. */
export interface EventMark {
  readonly text: string;
  readonly revision: bigint;
}

export const meta = {
  kind: 'cluster',
  segment: 'meta',
  path: [],
  codec: recordCodec<Meta>(
    ({ clusterId, epoch, schema }, original) => ({ ...original, clusterId, epoch: Number(epoch), schema }),
    (json) => ({
      clusterId: unwrap(parseClusterId(text(json, 'clusterId'))),
      epoch: BigInt(number(json, 'epoch')),
      schema: number(json, 'schema'),
    }),
  ),
  keep: ({ value, original }: Decoded<Meta>, { modRevision: revision }: Stamped): Cluster => {
    const { clusterId: id, epoch, schema } = value;
    return { id, epoch, schema, revision, ...(original !== undefined && { original }) };
  },
  index: () => new SingleIndex<Cluster>(),
  listeners: 'record',
} as const satisfies RecordKind;

export const leader = {
  kind: 'leader',
  path: [],
  codec: recordCodec<LeaderClaim>(
    ({ name, address, since, lease }, original) => ({
      ...original,
      ...{ name, address, since },
      ...(lease !== undefined && { lease: `${lease}` }),
    }),
    (json) => ({
      ...{ name: text(json, 'name'), address: text(json, 'address'), since: number(json, 'since') },
      ...(json['lease'] !== undefined && { lease: BigInt(text(json, 'lease')) }),
    }),
  ),
  keep: ({ value }: Decoded<LeaderClaim>, { createRevision: term }: Stamped): LeaderRecord => ({ ...value, term }),
  index: () => new SingleIndex<LeaderRecord>(),
  listeners: 'record',
} as const satisfies RecordKind;

/** The store was restored from a backup, and does not contain yet everything that hosts hold. */
export const recovery = {
  kind: 'recovery',
  path: [],
  codec: textCodec,
  keep: () => true as const,
  index: () => new SingleIndex<true>(),
} as const satisfies RecordKind;

/** Changed with every transaction that has only events, so that views see the new revision. */
export const eventMark = {
  kind: 'event-mark',
  path: [],
  codec: textCodec,
  keep: ({ value: text }: Decoded<string>, { modRevision: revision }: Stamped): EventMark => ({ text, revision }),
  index: () => new SingleIndex<EventMark>(),
} as const satisfies RecordKind;
