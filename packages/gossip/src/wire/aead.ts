import type { Bytes } from './bytes.ts';

/** A nonce comes first, and a tag comes last: both are part of what `seal` returns. */
export const nonceLength = 12;
export const tagLength = 16;

/**
 * AES-GCM: the length of the key (16, 24 or 32 bytes) selects AES-128, -192 or -256. The implementation makes the nonces,
 * because a nonce that is used twice with one key breaks the encryption.
 */
export interface Aead {
  /** The nonce, the ciphertext and the tag. */
  seal(key: Bytes, plaintext: Bytes, associated: Bytes): Bytes;
  /** The plaintext; undefined if this key did not seal these bytes with this associated data. */
  open(key: Bytes, sealed: Bytes, associated: Bytes): Bytes | undefined;
}
