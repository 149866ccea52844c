import { parseRole, parseTokenId, type TokenId, type TokenRecord } from '@causeway/identity';
import { unwrap } from '@causeway/model';
import { number, omit, recordCodec, text } from './codec.ts';
import { keyPart, type RecordKind, type Versioned, versioned } from './kind.ts';
import { MapIndex } from './map-index.ts';

/** A join token as the cluster keeps it. */
export interface StoredToken extends TokenRecord {
  /** Pin of the root that the token names, as hex digits. When the root is gone, the token cannot be used. */
  readonly pin: string;
  /** Unix ms. */
  readonly created: number;
  /** Who created it: "operator/mary". */
  readonly by: string;
  /** The only name with which it may be used; absent: any. */
  readonly name?: string;
}

export const token = {
  kind: 'token',
  path: [keyPart('id', parseTokenId)],
  codec: recordCodec<StoredToken>(
    ({ id, role, hash, pin, uses, used, created, by, name, expires, revoked }, original) => ({
      ...omit(original, 'name', 'revoked'),
      ...{ id, role, hash, pin, uses, used, created, by, expires },
      ...(name !== undefined && { name }),
      ...(revoked !== undefined && { revoked }),
    }),
    (json) => ({
      id: unwrap(parseTokenId(text(json, 'id'))),
      role: unwrap(parseRole(text(json, 'role'))),
      hash: text(json, 'hash'),
      pin: text(json, 'pin'),
      uses: number(json, 'uses'),
      used: number(json, 'used'),
      created: number(json, 'created'),
      by: json['by'] === undefined ? '' : text(json, 'by'),
      ...(json['name'] !== undefined && { name: text(json, 'name') }),
      expires: number(json, 'expires'),
      ...(json['revoked'] !== undefined && { revoked: number(json, 'revoked') }),
    }),
  ),
  keep: versioned<StoredToken>,
  index: () => new MapIndex<'id', TokenId, Versioned<StoredToken>>('id'),
} as const satisfies RecordKind;
