import { createPublicKey, type KeyObject } from 'node:crypto';
import { CausewayError, type ClusterId, clip, fail, ok, type Result } from '@causeway/model';
import type { Random } from '@causeway/runtime';
import { formatPrivateKey, parsePrivateKey } from './credential.ts';
import { hasSealed, type SealContext, type SealingKey, seal, unseal } from './seal.ts';
import { fromBase64, toBase64, toHex, utf8 } from './text.ts';
import { formatTime } from './time.ts';
import { isIssuedBy } from './trust.ts';
import { type Certificate, publicKeyOf } from './x509/certificate.ts';
import type { Authority } from './x509/issue.ts';
import { extensionsOf } from './x509/read-extensions.ts';
import { isOurs, readSpki, spkiOf } from './x509/signed.ts';

/** Whether certificates can be issued with this CA: for the CA that was sealed, and for one that an operator brings. */
export function checkAuthority(
  certificate: Certificate,
  key: KeyObject,
  now: number,
): Result<Authority, CausewayError> {
  const subject = clip(certificate.x509.subject.replaceAll('\n', ', '));
  if (!certificate.isAuthority) return refuse(`"${subject}" is not a CA certificate`);
  if (!isOurs(key)) return refuse('its private key is not a key on the curve P-256');
  if (toHex(spkiOf(createPublicKey(key))) !== toHex(publicKeyOf(certificate)))
    return refuse(`the private key is not the key of the certificate "${subject}"`);
  const why = outOfTime(certificate, now);
  return why === undefined ? ok({ certificate, key }) : refuse(`"${subject}" ${why}`);
}

/** Whether a program can issue certificates with this CA, whose key the cluster does not have. */
export function checkExternalAuthority(certificate: Certificate, now: number): Result<Certificate, CausewayError> {
  const subject = clip(certificate.x509.subject.replaceAll('\n', ', '));
  if (!certificate.isAuthority) return refuse(`"${subject}" is not a CA certificate`);
  if (extensionsOf(certificate) === undefined)
    return refuse(`"${subject}" is not written in DER, or has no extensions`);
  if (!isIssuedBy(certificate, certificate))
    return refuse(`"${subject}" is not a root: give the cluster a root of its own`);
  if (readSpki(publicKeyOf(certificate)) === undefined)
    return refuse(`the key of "${subject}" is not a key on the curve P-256`);
  const why = outOfTime(certificate, now);
  return why === undefined ? ok(certificate) : refuse(`"${subject}" ${why}`);
}

function outOfTime({ notBefore, notAfter }: Certificate, now: number): string | undefined {
  if (now > notAfter) return `expired on ${formatTime(notAfter)}`;
  return now < notBefore ? `is valid from ${formatTime(notBefore)}, and here it is ${formatTime(now)}` : undefined;
}

/** The private key of a CA as the cluster's store keeps it: sealed, as base 64. */
export function sealAuthority(key: KeyObject, sealingKey: SealingKey, cluster: ClusterId, random: Random): string {
  return toBase64(seal(sealingKey, utf8(formatPrivateKey(key)), contextOf(cluster), random));
}

/** The CA of this certificate, whose private key was sealed. */
export function openAuthority(
  { certificate, key: sealed }: { readonly certificate: Certificate; readonly key: string },
  sealingKey: SealingKey,
  cluster: ClusterId,
  now: number,
): Result<Authority, CausewayError> {
  const bytes = unseal(sealingKey, fromBase64(sealed) ?? new Uint8Array(), contextOf(cluster));
  if (!bytes.ok) return bytes;
  const key = parsePrivateKey(new TextDecoder().decode(bytes.value));
  return key.ok ? checkAuthority(certificate, key.value, now) : key;
}

/**
 * What the store keeps in the place of the private key of an external CA: nothing, sealed. By it managers see which sealing key is
 * in use.
 */
export function sealNoAuthority(sealingKey: SealingKey, cluster: ClusterId, random: Random): string {
  return toBase64(seal(sealingKey, new Uint8Array(), { cluster, purpose: 'external CA' }, random));
}

/** Whether this key has sealed the private key of a CA, or what stands in its place. */
export function hasSealedAuthority(key: SealingKey, sealed: string): boolean {
  return hasSealed(key, fromBase64(sealed) ?? new Uint8Array());
}

function contextOf(cluster: ClusterId): SealContext {
  return { cluster, purpose: 'CA key' };
}

function refuse(why: string): Result<never, CausewayError> {
  return fail(new CausewayError('certificate-invalid', `this CA cannot issue certificates: ${why}`));
}
