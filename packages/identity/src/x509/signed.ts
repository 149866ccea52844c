import { createPublicKey, type KeyObject, sign } from 'node:crypto';
import { toHex } from '../text.ts';
import { bitString, content, decode, encode, type Node, oid, oidOf, parts, sequence, tag } from './der.ts';
import { oids } from './oids.ts';
import { formatPem } from './pem.ts';

/** ECDSA with SHA-256 on P-256: the only algorithm with which Causeway makes keys and signs. */
export const curve = 'prime256v1';
export const hash = 'sha256';

/** RFC 5758 §3.2: without parameters. */
export function signatureAlgorithm(): Node {
  return sequence(oid(oids.ecdsaWithSha256));
}

/** A structure, how it is signed, and the signature: the outer form of certificates and requests. */
export function signed(structure: Node, key: KeyObject): Node {
  return sequence(structure, signatureAlgorithm(), bitString(sign(hash, encode(structure), key)));
}

/** Undefined: another algorithm, or not the form of a signature. */
export function signatureOf(algorithm: Node | undefined, signature: Node | undefined): Uint8Array | undefined {
  const [id, ...parameters] = parts(algorithm) ?? [];
  const bits = content(signature, tag.bitString);
  const isOurs = oidOf(id) === oids.ecdsaWithSha256 && parameters.length === 0 && bits?.[0] === 0;
  return isOurs ? bits?.subarray(1) : undefined;
}

/** SubjectPublicKeyInfo of a public key. */
export function spkiOf(key: KeyObject): Uint8Array {
  return key.export({ format: 'der', type: 'spki' });
}

/** As part of a structure. */
export function spkiNode(key: KeyObject): Node {
  const node = decode(spkiOf(key));
  if (node === undefined) throw new TypeError('node:crypto wrote a public key that is not in DER');
  return node;
}

/**
 * SubjectPublicKeyInfo of every key on P-256 begins so: the curve by its name, and a point that is written uncompressed
 * (RFC 5480 §2). OpenSSL would also read curves that are written as numbers, and other forms of points.
 */
const spkiStart = '3059301306072a8648ce3d020106082a8648ce3d03010703420004';

/** Undefined: not a key on P-256, or written in another form than ours. */
export function readSpki(spki: Uint8Array): KeyObject | undefined {
  if (!toHex(spki).startsWith(spkiStart)) return undefined;
  try {
    return createPublicKey(formatPem('PUBLIC KEY', spki));
  } catch {
    return undefined;
  }
}

/** Whether a private key is one that Causeway uses. */
export function isOurs(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'ec' && toHex(spkiOf(createPublicKey(key))).startsWith(spkiStart);
}
