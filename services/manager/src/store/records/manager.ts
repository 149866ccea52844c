import { type Name, parseName } from '@causeway/model';
import { type Decoded, number, omit, recordCodec, text } from './codec.ts';
import { keyPart, type RecordKind, type Stamped, type Versioned, versioned } from './kind.ts';
import { MapIndex } from './map-index.ts';

/** A running manager, as it has registered itself. */
export interface ManagerRecord {
  readonly name: string;
  /** Host:port of the manager's gRPC service. */
  readonly address: string;
  readonly version: string;
  /** Name of the etcd member that the manager supervises; empty: none. */
  readonly etcdMember: string;
  /** The newest schema of records that the manager knows. */
  readonly schema: number;
  /**
   * The roots that this etcd has read at its start (`formatPins`); empty: not known. Absent: there is no such etcd, or a manager of
   * an earlier version.
   */
  readonly etcdTrust?: string;
}

/** A running manager, with the revision of its registration. */
export interface RegisteredManager extends ManagerRecord {
  readonly revision: bigint;
}

/** A manager that was registered once, kept until it is removed. */
export interface KnownManager extends ManagerRecord {
  /**
   * When the leader saw that the registration was gone, Unix ms. Absent: the registration exists, or no leader has looked.
   */
  readonly goneAt?: number;
}

/** Schema of the versions whose record does not name a schema. */
const firstSchema = 1;

export const manager = {
  kind: 'manager',
  path: [keyPart('name', parseName)],
  codec: recordCodec<ManagerRecord>(
    ({ name, address, version, etcdMember, schema, etcdTrust }, original) => ({
      ...omit(original, 'etcdTrust'),
      ...{ name, address, version, etcdMember, schema },
      ...(etcdTrust !== undefined && { etcdTrust }),
    }),
    (json) => ({
      name: text(json, 'name'),
      address: text(json, 'address'),
      version: text(json, 'version'),
      etcdMember: text(json, 'etcdMember'),
      schema: json['schema'] === undefined ? firstSchema : number(json, 'schema'),
      ...(json['etcdTrust'] !== undefined && { etcdTrust: text(json, 'etcdTrust') }),
    }),
  ),
  keep: ({ value }: Decoded<ManagerRecord>, { modRevision: revision }: Stamped): RegisteredManager => ({
    ...value,
    revision,
  }),
  index: () => new MapIndex<'name', Name, RegisteredManager>('name'),
  listeners: 'record',
} as const satisfies RecordKind;

export const knownManager = {
  kind: 'known-manager',
  path: [keyPart('name', parseName)],
  codec: recordCodec<KnownManager>(
    ({ name, address, version, etcdMember, schema, goneAt }, original) => ({
      ...omit(original, 'goneAt'),
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
