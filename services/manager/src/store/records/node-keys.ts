import { CausewayError, fail, type NodeKeys, ok, parseNodeId, type Result, unwrap } from '@causeway/model';
import { type JsonObject, list, number, object, omit, recordCodec, text } from './codec.ts';
import { type KeyKind, keyPart, type RecordKind, type Versioned, versioned } from './kind.ts';
import { NodeKeysIndex } from './node-keys-index.ts';

/**
 * A host's keys for encrypted networks, as the host has signed them. Version 0: the host has its index, and has published no keys.
 */
export const nodeKeys = {
  kind: 'node-keys',
  path: [keyPart('id', parseNodeId)],
  codec: recordCodec<NodeKeys>(
    (value, original) => ({
      ...omit(original, 'generations'),
      node: value.node,
      index: value.index,
      version: value.version,
      generations: value.generations.map(({ generation, publicKey, createdAt, encapPort }) => {
        return { generation, publicKey: base64(publicKey), createdAt, ...(encapPort !== undefined && { encapPort }) };
      }),
      chain: value.chain.map(base64),
      signature: base64(value.signature),
    }),
    (json) => ({
      node: unwrap(parseNodeId(text(json, 'node'))),
      index: number(json, 'index'),
      version: number(json, 'version'),
      generations: list(json, 'generations').map((item) => generationFromJson(object(item))),
      chain: list(json, 'chain').map((item) => bytes(String(item))),
      signature: bytes(text(json, 'signature')),
    }),
  ),
  keep: versioned<NodeKeys>,
  index: () => new NodeKeysIndex('id'),
  listeners: 'record',
} as const satisfies RecordKind;

/** Who has a number in SPIs: the host's id. */
export const nodeIndex = { kind: 'node-index', path: [keyPart('index', parseIndex)] } as const satisfies KeyKind;

export type StoredNodeKeys = Versioned<NodeKeys>;

function parseIndex(from: string): Result<number, CausewayError> {
  return /^[1-9]\d{0,7}$/.test(from) ? ok(Number(from)) : fail(new CausewayError('data-damaged', 'not an index'));
}

function generationFromJson(json: JsonObject): NodeKeys['generations'][number] {
  return {
    generation: number(json, 'generation'),
    publicKey: bytes(text(json, 'publicKey')),
    createdAt: number(json, 'createdAt'),
    ...(json['encapPort'] !== undefined && { encapPort: number(json, 'encapPort') }),
  };
}

function base64(from: Uint8Array): string {
  return btoa(String.fromCharCode(...from));
}

function bytes(from: string): Uint8Array {
  return Uint8Array.from(atob(from), (character) => character.charCodeAt(0));
}
