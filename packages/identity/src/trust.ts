import { createHash } from 'node:crypto';
import { CausewayError, fail, type Result } from '@causeway/model';
import { toHex } from './text.ts';
import { type Certificate, formatCertificates, publicKeyOf, readCertificates } from './x509/certificate.ts';

/** The roots that a peer trusts: one, or several while the CA rotates. Never empty. */
export type TrustBundle = readonly Certificate[];

/** Present and next root, and one more for a rotation that was begun again. */
const mostRoots = 4;

/** SHA-256 of the root's public key, so that a root which is renewed with the same key keeps it. */
export type Pin = Uint8Array;

export function pinOf(root: Certificate): Pin {
  return new Uint8Array(createHash('sha256').update(publicKeyOf(root)).digest());
}

/** For people and scripts: `causeway ca show`, and the same as `openssl x509 -pubkey | openssl pkey -pubin -outform der | sha256sum`. */
export function formatPin(pin: Pin): string {
  return toHex(pin);
}

export function hasPin(certificate: Certificate, pin: Pin): boolean {
  return toHex(pinOf(certificate)) === toHex(pin);
}

/** From PEM. Each certificate must be a root: a CA that has signed itself. */
export function parseTrustBundle(pem: string): Result<TrustBundle, CausewayError> {
  const read = readCertificates(pem);
  if (!read.ok) return read;
  if (read.value.length > mostRoots)
    return refuse(`it has ${read.value.length} certificates; at most ${mostRoots} roots are trusted`);
  const wrong = read.value.find((each) => !each.isAuthority || !isIssuedBy(each, each));
  return wrong === undefined ? read : refuse(`"${wrong.x509.subject.replaceAll('\n', ', ')}" is not a root CA`);
}

export function formatTrustBundle(roots: TrustBundle): string {
  return formatCertificates(roots);
}

/** Which roots these are, in one text, whatever their order. */
export function formatPins(roots: TrustBundle): string {
  return roots
    .map((root) => formatPin(pinOf(root)))
    .sort()
    .join();
}

/** By name, by key id, and by signature. */
export function isIssuedBy({ x509 }: Certificate, issuer: Certificate): boolean {
  try {
    return x509.checkIssued(issuer.x509) && x509.verify(issuer.publicKey);
  } catch {
    return false; // an algorithm of the signature that does not fit the key
  }
}

function refuse(why: string): Result<never, CausewayError> {
  return fail(new CausewayError('certificate-invalid', `the trust bundle is invalid: ${why}`));
}
