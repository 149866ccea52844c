import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/** A new private key on X25519, for one generation of a node. */
export function createNodeKey(): KeyObject {
  return generateKeyPairSync('x25519').privateKey;
}
