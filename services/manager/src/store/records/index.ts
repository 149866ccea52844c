import type { RowTypes } from '@causeway/model';
import { ca } from './ca.ts';
import { certificate } from './certificate.ts';
import { address, mac, request, vni } from './claims.ts';
import { eventMark, leader, meta, recovery } from './cluster.ts';
import { endpoint, endpointName } from './endpoint.ts';
import { keyRotation } from './key-rotation.ts';
import type { KeyArguments, KeyKind, KeyParts, RecordKind } from './kind.ts';
import type { Fields, Item } from './listed.ts';
import { knownManager, manager } from './manager.ts';
import { network, networkName, pool } from './network.ts';
import { node, nodeName } from './node.ts';
import { nodeIndex, nodeKeys } from './node-keys.ts';
import { removed } from './removal.ts';
import type { RowRecordKind } from './row.ts';
import { ledTime, nodeSilent } from './silence.ts';
import { token } from './token.ts';

/** Every kind of key under the prefix. If a kind is not listed here, only a newer version knows it. */
export const records = {
  meta,
  leader,
  ledTime,
  recovery,
  eventMark,
  manager,
  knownManager,
  node,
  nodeName,
  nodeSilent,
  nodeKeys,
  nodeIndex,
  keyRotation,
  network,
  networkName,
  pool,
  vni,
  address,
  mac,
  endpoint,
  endpointName,
  ca,
  token,
  certificate,
  removed,
  request,
} as const satisfies Readonly<Record<string, KeyKind | RecordKind>> & {
  readonly [Kind in keyof RowTypes]: RowRecordKind<RowTypes[Kind]>;
};

export type Records = typeof records;
export type RecordName = keyof Records;

/** Names of the kinds that the view keeps. */
export type KeptName = { [Name in RecordName]: Records[Name] extends RecordKind ? Name : never }[RecordName];

export type IndexOf<Name extends KeptName> = ReturnType<Records[Name]['index']>;
export type KeptOf<Name extends KeptName> = ReturnType<Records[Name]['keep']>;
export type ArgumentsOf<Name extends RecordName> = KeyArguments<Records[Name]['path']>;

/** Names of the kinds that clients can list and watch. */
export type ListedName = {
  [Name in KeptName]: Records[Name] extends { readonly fields: object } ? Name : never;
}[KeptName];

/** Type of the records in lists and watches. */
export type ItemOf<Name extends ListedName> =
  Records[Name]['fields'] extends Fields<infer Of extends Item> ? Of : never;

/** A parsed key: its kind, and its parts by name. */
export type StoreKey = {
  [Name in RecordName]: { readonly kind: Records[Name]['kind'] } & KeyParts<Records[Name]['path']>;
}[RecordName];

type KindsFor<Listeners extends 'record' | 'claim'> = {
  [Name in KeptName]: Records[Name] extends { readonly listeners: Listeners } ? Name : never;
}[KeptName];

type ChangeOf<Name extends KeptName> = { readonly kind: Records[Name]['kind'] } & KeyParts<Records[Name]['path']> & {
    readonly before?: KeptOf<Name>;
    /** Absent: the key was removed. */
    readonly after?: KeptOf<Name>;
  };

/** A record was made, changed or removed. */
export type RecordChange = {
  [Name in KindsFor<'record'>]: ChangeOf<Name> & { readonly revision: bigint };
}[KindsFor<'record'>];

export type ViewChange =
  | RecordChange
  /** A snapshot replaced everything. */
  | { readonly kind: 'reset'; readonly revision: bigint };

/** A claim was taken, changed hands, or was given up. */
export type ClaimChange =
  | { [Name in KindsFor<'claim'>]: ChangeOf<Name> }[KindsFor<'claim'>]
  | { readonly kind: 'reset' };
