import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { CausewayError, type ClusterId, type ErrorCode, fail, ok, type Result } from '@causeway/model';
import type { Random } from '@causeway/runtime';
import { concat, toHex, utf8 } from './text.ts';

/** A key that encrypts other keys: 256 random bits. */
export type SealingKey = Uint8Array;

/** What a sealed secret is for. It opens only for the same cluster and purpose, so it cannot be put in another's place. */
export interface SealContext {
  readonly cluster: ClusterId;
  /** "CA key", "sealing key". */
  readonly purpose: string;
}

const keyBytes = 32;
const algorithm = 'aes-256-gcm';
/** First bytes of every sealed secret; a later format gets another number. */
const magic = utf8('CWS1');
const keyIdBytes = 8;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = magic.length + keyIdBytes + nonceBytes;

export function createSealingKey(random: Random): SealingKey {
  return random.bytes(keyBytes);
}

/** The layout: magic, id of the key, nonce, ciphertext, tag. The nonce is random: a key seals a handful of secrets. */
export function seal(key: SealingKey, secret: Uint8Array, context: SealContext, random: Random): Uint8Array {
  const head = concat(magic, keyIdOf(key), random.bytes(nonceBytes));
  const cipher = createCipheriv(algorithm, key, head.subarray(-nonceBytes), { authTagLength: tagBytes });
  cipher.setAAD(associated(head, context));
  return concat(head, cipher.update(secret), cipher.final(), cipher.getAuthTag());
}

/** Another key than the one that sealed, and damage, are different errors: a person does different things about them. */
export function unseal(key: SealingKey, sealed: Uint8Array, context: SealContext): Result<Uint8Array, CausewayError> {
  const head = sealed.subarray(0, headBytes);
  if (sealed.length < headBytes + tagBytes || toHex(head.subarray(0, magic.length)) !== toHex(magic))
    return refuse('data-damaged', `the sealed ${context.purpose} is damaged, or of a later version`);
  if (toHex(head.subarray(magic.length, magic.length + keyIdBytes)) !== toHex(keyIdOf(key)))
    return refuse('unlock-key-wrong', `the ${context.purpose} was sealed with another key`);
  const decipher = createDecipheriv(algorithm, key, head.subarray(-nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(associated(head, context));
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  try {
    return ok(concat(decipher.update(sealed.subarray(headBytes, -tagBytes)), decipher.final()));
  } catch {
    // The cause is dropped: it says nothing more, and an error of a cipher must not carry what it was given.
    return refuse('data-damaged', `the sealed ${context.purpose} is damaged, or belongs to another cluster`);
  }
}

/** Whether this key has sealed it, without opening it. */
export function hasSealed(key: SealingKey, sealed: Uint8Array): boolean {
  return toHex(sealed.subarray(magic.length, magic.length + keyIdBytes)) === toHex(keyIdOf(key));
}

/**
 * Secret bytes that follow from the key and the purpose (HKDF, RFC 5869). All who have the key get the same, so a secret
 * that was shown once can be shown again without being stored.
 */
export function deriveBytes(key: SealingKey, { cluster, purpose }: SealContext, count: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', key, utf8('causeway'), utf8(`${cluster}\0${purpose}`), count));
}

/** Which key it was, without telling anything of the key. */
function keyIdOf(key: SealingKey): Uint8Array {
  return createHash('sha256').update(utf8('causeway sealing key\0')).update(key).digest().subarray(0, keyIdBytes);
}

function associated(head: Uint8Array, { cluster, purpose }: SealContext): Uint8Array {
  return concat(head, utf8(`${cluster}\0${purpose}`));
}

function refuse(code: ErrorCode, message: string): Result<never, CausewayError> {
  return fail(new CausewayError(code, message));
}
