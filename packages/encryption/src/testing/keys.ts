import { createPrivateKey, type KeyObject } from 'node:crypto';
import { SeededRandom } from '@causeway/runtime/testing';

/** A private key that is the same for the same number. */
export function nodeKey(seed: number): KeyObject {
  // PKCS #8 of an X25519 key (RFC 8410): any 32 bytes are a key.
  const der = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), new SeededRandom(seed).bytes(32)]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
