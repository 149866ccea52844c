import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { curve } from '../x509/signed.ts';

/** A new private key. Each certificate gets a key of its own, also at renewal. */
export function createKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: curve }).privateKey;
}
