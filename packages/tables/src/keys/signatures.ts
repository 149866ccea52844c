import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { publicKeyFor, toBase64 } from '@causeway/identity';
import type { Bytes } from '../wire/bytes.ts';

/** Verifies Ed25519 signatures. A seam, because a verification costs 0.1 ms, and a simulation makes a million. */
export interface Signatures {
  verify(publicKey: Bytes, statement: Bytes, signature: Bytes): boolean;
}

/** Signs with one key. */
export interface Signer {
  readonly publicKey: Bytes;
  sign(statement: Bytes): Bytes;
}

/** Bytes of a public key on Ed25519 (RFC 8032). */
export const publicKeySize = 32;

/** Keeps the keys that it has read: reading one costs as much as a tenth of a verification. */
export class Ed25519 implements Signatures {
  readonly #keys = new Map<string, KeyObject>();

  verify(publicKey: Bytes, statement: Bytes, signature: Bytes): boolean {
    const key = this.#keyOf(publicKey);
    return key !== undefined && verify(null, statement, key, signature);
  }

  #keyOf(publicKey: Bytes): KeyObject | undefined {
    const x = toBase64(publicKey).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
    const known = this.#keys.get(x);
    if (known !== undefined) return known;
    try {
      const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
      if (this.#keys.size >= mostKeys) this.#keys.clear();
      this.#keys.set(x, key);
      return key;
    } catch {
      return undefined;
    }
  }
}

/** Table keys at a time: one for each manager, and their predecessors. */
const mostKeys = 64;

export function signerOf(key: KeyObject): Signer {
  // SubjectPublicKeyInfo ends with the key (RFC 8410).
  const spki = publicKeyFor(key).export({ format: 'der', type: 'spki' });
  const publicKey = new Uint8Array(spki.subarray(-publicKeySize));
  return { publicKey, sign: (statement) => new Uint8Array(sign(null, statement, key)) };
}
