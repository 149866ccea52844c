import { generateKeyPairSync, type KeyObject } from 'node:crypto';

/** A new private key on Ed25519, with which one manager signs the tables of one cluster epoch. */
export function createTableKey(): KeyObject {
  return generateKeyPairSync('ed25519').privateKey;
}
