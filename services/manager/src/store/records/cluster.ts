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

/** The same as the view has it. */
export interface Cluster {
  readonly id: ClusterId;
  readonly epoch: bigint;
  /** Of the newest records; a manager that knows less must not write. */
  readonly schema: number;
  /** Of its record. */
  readonly revision: bigint;
  readonly foreign?: JsonObject;
}

/** Who leads, as the leader wrote it. */
export interface LeaderClaim {
  readonly name: string;
  /** Host:port of its gRPC service. */
  readonly address: string;
  /** Unix time, milliseconds. */
  readonly since: number;
  /** That the key ends with: by it another manager ends the term of a leader whose process is gone. Absent in older versions. */
  readonly lease?: bigint;
}

export interface LeaderRecord extends LeaderClaim {
  /** Revision that created the leader key: what writes are fenced with. */
  readonly term: bigint;
}

/** The last record of events that stands for nothing else: whose it is, and at which revision. */
export interface EventMark {
  readonly text: string;
  readonly revision: bigint;
}

export const meta = {
  kind: 'cluster',
  segment: 'meta',
  path: [],
  codec: recordCodec<Meta>(
    ({ clusterId, epoch, schema }, foreign) => ({ ...foreign, clusterId, epoch: Number(epoch), schema }),
    (json) => ({
      clusterId: unwrap(parseClusterId(text(json, 'clusterId'))),
      epoch: BigInt(number(json, 'epoch')),
      schema: number(json, 'schema'),
    }),
  ),
  keep: ({ value, foreign }: Decoded<Meta>, { modRevision: revision }: Stamped): Cluster => {
    const { clusterId: id, epoch, schema } = value;
    return { id, epoch, schema, revision, ...(foreign !== undefined && { foreign }) };
  },
  index: () => new SingleIndex<Cluster>(),
  heard: 'record',
} as const satisfies RecordKind;

export const leader = {
  kind: 'leader',
  path: [],
  codec: recordCodec<LeaderClaim>(
    ({ name, address, since, lease }, foreign) => ({
      ...foreign,
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
  heard: 'record',
} as const satisfies RecordKind;

/** The store was restored, and does not know yet all that hosts hold. */
export const recovery = {
  kind: 'recovery',
  path: [],
  codec: textCodec,
  keep: () => true as const,
  index: () => new SingleIndex<true>(),
} as const satisfies RecordKind;

/** Changed with every transaction that has nothing but events, so that views see that the store has moved. */
export const eventMark = {
  kind: 'event-mark',
  path: [],
  codec: textCodec,
  keep: ({ value: text }: Decoded<string>, { modRevision: revision }: Stamped): EventMark => ({ text, revision }),
  index: () => new SingleIndex<EventMark>(),
} as const satisfies RecordKind;
