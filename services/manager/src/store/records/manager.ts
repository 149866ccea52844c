import { type Name, parseName } from '@causeway/model';
import { type Decoded, number, recordCodec, text, without } from './codec.ts';
import { keyPart, type RecordKind, type Stamped, type Versioned, versioned } from './kind.ts';
import { MapIndex } from './map-index.ts';

/** A manager that runs, as it says itself. */
export interface ManagerRecord {
  readonly name: string;
  /** Host:port of its gRPC service. */
  readonly address: string;
  readonly version: string;
  /** Name of the etcd member it supervises; empty: none. */
  readonly etcdMember: string;
  /** The newest schema of records it knows. */
  readonly schema: number;
}

/** A manager that runs, and the revision of its registration. */
export interface RegisteredManager extends ManagerRecord {
  readonly revision: bigint;
}

/** A manager that was registered once, kept until it is removed. */
export interface KnownManager extends ManagerRecord {
  /** Unix time, milliseconds: when the leader saw that it was not registered any more; absent: it is, or no leader has looked. */
  readonly goneAt?: number;
}

/** Of the versions whose record does not say. */
const firstSchema = 1;

export const manager = {
  kind: 'manager',
  path: [keyPart('name', parseName)],
  codec: recordCodec<ManagerRecord>(
    ({ name, address, version, etcdMember, schema }, foreign) => ({
      ...foreign,
      ...{ name, address, version, etcdMember, schema },
    }),
    (json) => ({
      name: text(json, 'name'),
      address: text(json, 'address'),
      version: text(json, 'version'),
      etcdMember: text(json, 'etcdMember'),
      schema: json['schema'] === undefined ? firstSchema : number(json, 'schema'),
    }),
  ),
  keep: ({ value }: Decoded<ManagerRecord>, { modRevision: revision }: Stamped): RegisteredManager => ({
    ...value,
    revision,
  }),
  index: () => new MapIndex<'name', Name, RegisteredManager>('name'),
  heard: 'record',
} as const satisfies RecordKind;

export const knownManager = {
  kind: 'known-manager',
  path: [keyPart('name', parseName)],
  codec: recordCodec<KnownManager>(
    ({ name, address, version, etcdMember, schema, goneAt }, foreign) => ({
      ...without(foreign, 'goneAt'),
      ...{ name, address, version, etcdMember, schema },
      ...(goneAt !== undefined && { goneAt }),
    }),
    (json) => ({
      name: text(json, 'name'),
      address: text(json, 'address'),
      version: text(json, 'version'),
      etcdMember: text(json, 'etcdMember'),
      schema: number(json, 'schema'),
      ...(json['goneAt'] !== undefined && { goneAt: number(json, 'goneAt') }),
    }),
  ),
  keep: versioned<KnownManager>,
  index: () => new MapIndex<'name', Name, Versioned<KnownManager>>('name'),
} as const satisfies RecordKind;
