import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { type Aead, nonceLength, tagLength } from '../wire/aead.ts';
import { type Bytes, concat } from '../wire/bytes.ts';

type Algorithm = 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm';

/** AES-GCM of node:crypto, with random nonces. */
export class AesGcm implements Aead {
  /** Imported keys, by the bytes that a keyring keeps. */
  readonly #imported = new WeakMap<Bytes, KeyObject>();

  seal(key: Bytes, plaintext: Bytes, associated: Bytes): Bytes {
    const nonce = randomBytes(nonceLength);
    const cipher = createCipheriv(algorithm(key), this.#import(key), nonce);
    cipher.setAAD(associated);
    return concat(nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
  }

  open(key: Bytes, sealed: Bytes, associated: Bytes): Bytes | undefined {
    if (sealed.length < nonceLength + tagLength) return undefined;
    const nonce = sealed.subarray(0, nonceLength);
    const decipher = createDecipheriv(algorithm(key), this.#import(key), nonce, { authTagLength: tagLength });
    decipher.setAAD(associated);
    decipher.setAuthTag(sealed.subarray(-tagLength));
    const plaintext = decipher.update(sealed.subarray(nonceLength, -tagLength));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    // A Buffer's slice shares memory, so callers get plain bytes.
    return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  }

  #import(key: Bytes): KeyObject {
    let imported = this.#imported.get(key);
    if (imported === undefined) {
      imported = createSecretKey(key);
      this.#imported.set(key, imported);
    }
    return imported;
  }
}

function algorithm(key: Bytes): Algorithm {
  return `aes-${key.length * 8}-gcm` as Algorithm;
}
