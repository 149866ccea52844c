import { createECDH, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type ClusterId, unwrap } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import type { Credential } from '../credential.ts';
import type { PeerName, Role } from '../name.ts';
import { parsePeerName } from '../name.ts';
import { type Authority, issueNode, issueRoot } from '../x509/issue.ts';

export const cluster = '0123456789abcdef' as ClusterId;
export const otherCluster = 'fedcba9876543210' as ClusterId;

/** 2026-11-27T00:00:00Z */
export const now = 1_795_737_600_000;
export const second = 1_000;
export const hour = 3_600 * second;
export const day = 24 * hour;

/** A private key that is the same for the same number, so that goldens can contain what follows from it. */
export function keyOf(seed: number): KeyObject {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(new SeededRandom(seed).bytes(32));
  const point = ecdh.getPublicKey();
  const x = point.toString('base64url', 1, 33);
  const y = point.toString('base64url', 33);
  const d = ecdh.getPrivateKey().toString('base64url');
  return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x, y, d }, format: 'jwk' });
}

export function authorityOf(seed: number, of = cluster, at = now): Authority {
  const key = keyOf(seed);
  return { key, certificate: issueRoot(of, key, { now: at, random: new SeededRandom(seed) }) };
}

export function name(role: Role, id: string, of = cluster): PeerName {
  return unwrap(parsePeerName(`spiffe://${of}/${role}/${id}`));
}

export const agent = name('agent', 'a1a1a1a1a1a1a1a1');
export const manager = name('manager', 'm1');
export const operator = name('operator', 'ops');

export interface Wanted {
  readonly at?: number;
  readonly life?: number;
  readonly seed?: number;
  readonly hosts?: readonly string[];
}

/** A peer of a cluster that trusts only this authority. */
export function credentialOf(authority: Authority, holder: PeerName, wanted: Wanted = {}): Credential {
  const { at = now, life = 30 * day, seed = 100, hosts = [] } = wanted;
  const key = keyOf(seed);
  const issuing = { now: at, random: new SeededRandom(seed), life: life as never };
  const certificate = issueNode(authority, { name: holder, key: createPublicKey(key), hosts }, issuing);
  return { key, chain: [certificate], trust: [authority.certificate] };
}
