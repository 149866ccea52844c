// biome-ignore lint/style/noRestrictedImports: these are pure functions of bytes; they touch nothing in the world.
import { createHash, timingSafeEqual } from 'node:crypto';

/** Bytes: an AES key of 128 bits, and the salt of 4 bytes after it (RFC 4106 §8.1). */
export const saKeySize = 20;

/**
 * The key of an SA. It never appears in text: ops, differences and states are printed, logged and sent over the network.
 * Two keys are compared by fingerprints. The key of an SA that was read from a kernel is only that: the bytes are overwritten
 * as soon as the fingerprint is made.
 */
export class SaKey {
  readonly #fingerprint: Uint8Array;
  readonly #bytes: Uint8Array | undefined;

  private constructor(fingerprint: Uint8Array, bytes: Uint8Array | undefined) {
    this.#fingerprint = fingerprint;
    this.#bytes = bytes;
  }

  /** The key of an SA to make. Keeps a copy of the bytes. */
  static of(bytes: Uint8Array): SaKey {
    if (bytes.length !== saKeySize)
      throw new RangeError(`the key of an SA has ${saKeySize} bytes, not ${bytes.length}`);
    return new SaKey(fingerprint(bytes), bytes.slice());
  }

  /** The key of an SA that was found. Overwrites the bytes with zeros, and keeps their fingerprint. */
  static take(bytes: Uint8Array): SaKey {
    const key = new SaKey(fingerprint(bytes), undefined);
    bytes.fill(0);
    return key;
  }

  equals(other: SaKey): boolean {
    return this === other || timingSafeEqual(this.#fingerprint, other.#fingerprint);
  }

  /** The bytes. Call it only where the message to the kernel is written. */
  reveal(): Uint8Array {
    if (this.#bytes === undefined) throw new TypeError('the key of an SA that was found is not kept');
    return this.#bytes;
  }

  /** A key that follows from this one, is secret, and is the key of no SA. */
  decoy(): SaKey {
    return SaKey.of(
      createHash('sha256').update('causeway decoy').update(this.reveal()).digest().subarray(0, saKeySize),
    );
  }

  /** In a template: "aead rfc4106(gcm(aes)) <secret> 128". */
  toString(): string {
    return '<secret>';
  }

  toJSON(): string {
    return '<secret>';
  }
}

function fingerprint(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
