import { CausewayError, type ClusterId, fail, ok, parseClusterId, type Result } from '@causeway/model';
import type { Random } from '@causeway/runtime';
import { type CheckedText, formatChecked, parseChecked } from './checked.ts';
import { type SealingKey, seal, unseal } from './seal.ts';
import { concat, fieldsOf, fromBase64, toBase64 } from './text.ts';

/**
 * Autolock: the key that seals the CA key is itself sealed on a manager's disk, by an unlock key that only operators have.
 * The unlock key is random, not chosen by a person, so a slow hash (scrypt) would add nothing: there is nothing to guess.
 */

const prefix = 'CWKEY1';
const form: CheckedText = { kind: 'unlock key', bytes: 32, checksum: 3 };

/** Number of bytes of an unlock key. */
export const unlockKeyBytes = form.bytes;

/** The result is secret. */
export function formatUnlockKey(key: SealingKey): string {
  return `${prefix}-${formatChecked(form, key)}`;
}

/** Whether a text may be an unlock key, also a part of one: it must not go to logs or events. */
export function resemblesUnlockKey(text: string): boolean {
  return text.toUpperCase().startsWith(`${prefix}-`);
}

/** No error contains a part of the key. */
export function parseUnlockKey(text: string): Result<SealingKey, CausewayError> {
  const [first, rest = '', ...more] = text.split('-');
  if (first !== prefix || more.length > 0) return invalid(`is not of the form ${prefix}-…`);
  const key = parseChecked(form, rest);
  return typeof key === 'string' ? invalid(`is damaged: it ${key}`) : ok(key);
}

/** The file with which a manager keeps its sealing key. Open: the file's mode protects the key. */
export type SealingKeyFile =
  | {
      readonly cluster: ClusterId;
      readonly state: 'open';
      /** The newest. */
      readonly key: SealingKey;
      /** Earlier keys, the latest first: for backups from when they were in use. */
      readonly former?: readonly SealingKey[];
    }
  | { readonly cluster: ClusterId; readonly state: 'locked'; readonly sealed: Uint8Array };

type Open = Extract<SealingKeyFile, { state: 'open' }>;

const purpose = 'sealing key';

/** open -> locked */
export function lock(open: Open, unlockKey: SealingKey, random: Random): SealingKeyFile {
  const { cluster } = open;
  return { cluster, state: 'locked', sealed: seal(unlockKey, concat(...keysOf(open)), { cluster, purpose }, random) };
}

/** Most earlier keys that are kept. */
const mostFormer = 15;

/** All keys of an open file, the newest first. */
export function keysOf({ key, former = [] }: Pick<Open, 'key' | 'former'>): readonly [SealingKey, ...SealingKey[]] {
  return [key, ...former];
}

/** The file with these keys, the newest first. */
export function openFile(cluster: ClusterId, [key, ...former]: readonly [SealingKey, ...SealingKey[]]): Open {
  return { cluster, state: 'open', key, ...(former.length > 0 && { former: former.slice(0, mostFormer) }) };
}

/** locked -> open. `unlockKey`: undefined: the operator gave none. */
export function unlock(file: SealingKeyFile, unlockKey: SealingKey | undefined): Result<Open, CausewayError> {
  if (file.state === 'open') return ok(file);
  if (unlockKey === undefined) {
    const message = 'this manager is locked: give the unlock key, which was shown when autolock was turned on';
    return fail(new CausewayError('unlock-key-missing', message));
  }
  const bytes = unseal(unlockKey, file.sealed, { cluster: file.cluster, purpose });
  if (!bytes.ok) return bytes;
  const keys = splitKeys(bytes.value);
  return keys === undefined ? damaged() : ok(openFile(file.cluster, keys));
}

/** Contains the key if it is open. */
export function formatSealingKeyFile(file: SealingKeyFile): string {
  const { cluster, state } = file;
  const bytes = toBase64(file.state === 'open' ? concat(...keysOf(file)) : file.sealed);
  return `${JSON.stringify({ version: 1, cluster, state, bytes })}\n`;
}

export function parseSealingKeyFile(text: string): Result<SealingKeyFile, CausewayError> {
  const { version, cluster, state, bytes } = fieldsOf(text);
  const parsedCluster = parseClusterId(String(cluster));
  const parsedBytes = fromBase64(String(bytes));
  if (version !== 1 || !parsedCluster.ok || parsedBytes === undefined) return damaged();
  if (state === 'locked') return ok({ cluster: parsedCluster.value, state, sealed: parsedBytes });
  const keys = splitKeys(parsedBytes);
  return state !== 'open' || keys === undefined ? damaged() : ok(openFile(parsedCluster.value, keys));
}

/** Undefined: these are no keys. */
function splitKeys(bytes: Uint8Array): readonly [SealingKey, ...SealingKey[]] | undefined {
  const count = bytes.length / form.bytes;
  if (!Number.isInteger(count) || count > mostFormer + 1) return undefined;
  const [first, ...others] = Array.from({ length: count }, (_, i) => bytes.slice(i * form.bytes, (i + 1) * form.bytes));
  return first && [first, ...others];
}

function invalid(why: string): Result<never, CausewayError> {
  return fail(new CausewayError('unlock-key-invalid', `the unlock key ${why}`));
}

function damaged(): Result<never, CausewayError> {
  return fail(new CausewayError('data-damaged', 'the file of the sealing key is damaged, or of a later version'));
}
