import { type Bytes, equalBytes, noBytes, parseUtf8 } from '../wire/bytes.ts';
import type { Keyring } from '../wire/keyring.ts';
import { readVersions } from '../wire/vsn.ts';
import {
  type ConflictResponse,
  decodeKeyRequest,
  encodeConflictResponse,
  encodeKeyResponse,
  type KeyResponse,
} from './answer.ts';
import type { SerfMember, Status } from './roster.ts';

/** Queries whose names begin so are serf's own; the application does not see them. */
export const internalPrefix = '_serf_';

export const conflictQuery = `${internalPrefix}conflict`;

/** What may be done with the keys of all nodes, and the query that does it. */
export const keyQueries = {
  install: `${internalPrefix}install-key`,
  use: `${internalPrefix}use-key`,
  remove: `${internalPrefix}remove-key`,
  list: `${internalPrefix}list-keys`,
} as const;

export type KeyOperation = keyof typeof keyQueries;

/** What a node needs to answer. */
export interface Answerer {
  readonly name: string;
  readonly keyring: Keyring | undefined;
  /** How many bytes an answer may have. */
  readonly room: number;
  member(name: string): SerfMember | undefined;
}

/** The answer; undefined: none is due, as to a ping, which is only acknowledged. Changes the keyring. */
export function answerInternal(query: string, payload: Bytes, by: Answerer): Bytes | undefined {
  if (query === conflictQuery) return answerConflict(payload, by);
  const operation = keyOperation(query);
  return operation === undefined ? undefined : answerKeys(operation, payload, by);
}

/** Which operation on keys a query asks for. */
export function keyOperation(query: string): KeyOperation | undefined {
  return (Object.keys(keyQueries) as KeyOperation[]).find((each) => keyQueries[each] === query);
}

/** Where this node knows the node in question; the node itself does not say. */
function answerConflict(payload: Bytes, { name, member }: Answerer): Bytes | undefined {
  const asked = parseUtf8(payload);
  if (asked === undefined || asked === name) return undefined;
  const known = member(asked);
  return encodeConflictResponse(known === undefined ? undefined : conflictResponse(known));
}

/** The numbers of serf; 0 is none. */
const statusNumbers: Readonly<Record<Status, number>> = { alive: 1, leaving: 2, left: 3, failed: 4 };

function conflictResponse({ name, addr, port, tags, status, vsn }: SerfMember): ConflictResponse {
  const versions = readVersions(vsn);
  return {
    name,
    addr,
    port,
    tags: new Map(Object.entries(tags)),
    status: statusNumbers[status],
    protocolMin: versions?.protocol.min ?? 0,
    protocolMax: versions?.protocol.max ?? 0,
    protocolCur: versions?.protocol.current ?? 0,
    delegateMin: versions?.delegate.min ?? 0,
    delegateMax: versions?.delegate.max ?? 0,
    delegateCur: versions?.delegate.current ?? 0,
  };
}

function answerKeys(operation: KeyOperation, payload: Bytes, { keyring, room }: Answerer): Bytes {
  if (keyring === undefined) return failure('this node does not encrypt: it has no keyring');
  if (operation === 'list') return listing(keyring, room);
  const key = decodeKeyRequest(payload);
  const error = key === undefined ? 'unreadable request' : changed(keyring, operation, key);
  return error === undefined ? encodeKeyResponse(success) : failure(error);
}

/** Changes the keyring; why not: nothing changed. */
function changed(keyring: Keyring, operation: Exclude<KeyOperation, 'list'>, key: Bytes): string | undefined {
  const isKnown = keyring.keys.some((each) => equalBytes(each, key));
  switch (operation) {
    case 'install':
      if (![16, 24, 32].includes(key.length)) return `a key has 16, 24 or 32 bytes, not ${key.length}`;
      keyring.install(key);
      return undefined;
    case 'use':
      return keyring.use(key) === 'used' ? undefined : 'the keyring does not have this key';
    case 'remove':
      // A key that the node does not have is removed already.
      return isKnown && keyring.remove(key) === 'is-primary' ? 'the primary key cannot be removed' : undefined;
  }
}

const success: KeyResponse = { result: true, message: '', keys: [], primaryKey: '' };

function failure(message: string): Bytes {
  return encodeKeyResponse({ ...success, result: false, message });
}

/** As many keys as fit, the primary key first. */
function listing(keyring: Keyring, room: number): Bytes {
  const all = keyring.keys.map(toBase64);
  const primaryKey = toBase64(keyring.primary);
  for (let count = all.length; count > 0; count--) {
    const message = count === all.length ? '' : `the first ${count} of ${all.length} keys`;
    const response = encodeKeyResponse({ result: true, message, keys: all.slice(0, count), primaryKey });
    if (response.length <= room) return response;
  }
  return noBytes;
}

export function toBase64(bytes: Bytes): string {
  return btoa(String.fromCharCode(...bytes));
}
