import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { CausewayError, fail, ok, type Result } from '@causeway/model';
import { toHex } from '../text.ts';
import { content, context, decode, encode, integer, isContext, parts, sequence, tag } from './der.ts';
import { hash, readSpki, signatureOf, signed, spkiNode } from './signed.ts';

/** Larger requests are not read: ours have some 210 bytes. */
const maxBytes = 2_048;

/**
 * A request (PKCS #10, RFC 2986) for a certificate of this private key, in DER. The request names no holder, because the
 * issuer decides the name.
 */
export function createRequest(key: KeyObject): Uint8Array {
  const version = integer(Uint8Array.of(0));
  return encode(signed(sequence(version, sequence(), spkiNode(createPublicKey(key)), context(0)), key));
}

/**
 * The public key of a request, whose signature proves that the sender holds the private key. Names and extensions in the
 * request are ignored.
 */
export function checkRequest(der: Uint8Array): Result<KeyObject, CausewayError> {
  if (der.length > maxBytes) return invalid(`it has ${der.length} bytes; at most ${maxBytes} are read`);
  const [info, algorithm, bits, ...more] = parts(decode(der)) ?? [];
  const [version, subject, spki, attributes, ...others] = parts(info) ?? [];
  const isWhole = parts(subject) !== undefined && isContext(attributes, 0) && more.length + others.length === 0;
  if (info === undefined || spki === undefined || content(version, tag.integer)?.join() !== '0' || !isWhole)
    return invalid('it is not a PKCS #10 request in DER');
  const signature = signatureOf(algorithm, bits);
  if (signature === undefined) return invalid('it is not signed by ECDSA with SHA-256');
  const key = readSpki(encode(spki));
  if (key === undefined) return invalid('its key is not a key on the curve P-256');
  return verify(hash, encode(info), key, signature) ? ok(key) : invalid('its signature was not made by its key');
}

/** SHA-256 of a request, as hex digits: by it a repeated call is recognised. */
export function digestOf(der: Uint8Array): string {
  return toHex(createHash('sha256').update(der).digest());
}

function invalid(why: string): Result<never, CausewayError> {
  return fail(new CausewayError('certificate-request-invalid', `the certificate request is invalid: ${why}`));
}
