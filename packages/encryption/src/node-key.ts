import { createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import { CausewayError, fail, ok, type Result } from '@causeway/model';

/** Bytes of a public key (RFC 7748). */
export const publicKeySize = 32;

/** The public halves of private keys that are still in use: all that a host does needs them. */
const publicHalves = new WeakMap<KeyObject, Uint8Array>();

/** The public half of a private key, 32 bytes, which must not be written to. */
export function publicHalf(key: KeyObject): Uint8Array {
  const known = publicHalves.get(key);
  if (known !== undefined) return known;
  // SubjectPublicKeyInfo ends with the key (RFC 8410).
  const half = new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-publicKeySize));
  publicHalves.set(key, half);
  return half;
}

/**
 * What a node's private key and a peer's public key have in common. An error: the public key has a small order, so that the
 * result would not depend on the private key (RFC 7748 §6.1). A peer with an honest key never has such a key.
 */
export function sharedSecret(key: KeyObject, publicKey: Uint8Array): Result<Uint8Array, CausewayError> {
  if (publicKey.length !== publicKeySize) return refuse(`it has ${publicKey.length} bytes, not ${publicKeySize}`);
  try {
    const peer = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: base64url(publicKey) }, format: 'jwk' });
    const secret = diffieHellman({ privateKey: key, publicKey: peer });
    // The same bytes, not a copy: the caller overwrites them.
    return ok(new Uint8Array(secret.buffer, secret.byteOffset, secret.length));
  } catch {
    return refuse('it is not a key that a node makes');
  }
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function refuse(why: string): Result<never, CausewayError> {
  return fail(new CausewayError('data-damaged', `the public key of the peer is unusable: ${why}`));
}
