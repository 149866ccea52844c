import { createHash, type KeyObject } from 'node:crypto';
import { ipBytes, parseIp } from '@causeway/model';
import { utf8 } from '../text.ts';
import { bitString, contextBytes, encode, integer, type Node, octetString, oid, sequence, yes } from './der.ts';
import { oids } from './oids.ts';
import { spkiOf } from './signed.ts';

/** Extensions of certificates, RFC 5280 §4.2. A verifier that does not understand a critical extension must refuse. */

/** A CA. `below`: how many further CAs may stand between this one and a node's certificate. */
export function authority(below: number): Node {
  return extension(oids.basicConstraints, sequence(yes(), integer(Uint8Array.of(below))), 'critical');
}

/** Not a CA: the default of each field is left out, so the sequence is empty. */
export function notAuthority(): Node {
  return extension(oids.basicConstraints, sequence(), 'critical');
}

/** Bits 5 and 6: keyCertSign and cRLSign. */
export function signsCertificates(): Node {
  return extension(oids.keyUsage, bitString(Uint8Array.of(0x06), 1), 'critical');
}

/** Bit 0: digitalSignature, which is all that TLS 1.3 needs. */
export function signsHandshakes(): Node {
  return extension(oids.keyUsage, bitString(Uint8Array.of(0x80), 7), 'critical');
}

/** Which end of a TLS connection the holder may be. */
export function mayBe(...ends: readonly ('serverAuth' | 'clientAuth')[]): Node {
  return extension(oids.extKeyUsage, sequence(...ends.map((end) => oid(oids[end]))));
}

/** A URI, and host names or addresses. */
export function alternativeNames(uri: string, hosts: readonly string[]): Node {
  const names = [contextBytes(6, utf8(uri)), ...hosts.map(hostName)];
  return extension(oids.subjectAltName, sequence(...names));
}

export function subjectKey(id: Uint8Array): Node {
  return extension(oids.subjectKeyIdentifier, octetString(id));
}

export function authorityKey(id: Uint8Array): Node {
  return extension(oids.authorityKeyIdentifier, sequence(contextBytes(0, id)));
}

/** An id of a key that finds the issuer among several roots: RFC 7093 §2, method 1. */
export function keyId(key: KeyObject): Uint8Array {
  const point = spkiOf(key).subarray(-65); // the end of SubjectPublicKeyInfo, uncompressed: 1 + 32 + 32 bytes
  return createHash('sha256').update(point).digest().subarray(0, 20);
}

function hostName(host: string): Node {
  const ip = parseIp(host);
  return ip.ok ? contextBytes(7, ipBytes(ip.value)) : contextBytes(2, utf8(host));
}

function extension(id: string, value: Node, critical?: 'critical'): Node {
  const content = octetString(encode(value));
  return critical === undefined ? sequence(oid(id), content) : sequence(oid(id), yes(), content);
}
