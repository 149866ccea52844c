import { createPublicKey, type KeyObject } from 'node:crypto';
import { CausewayError, clip, fail, ok, type Result } from '@causeway/model';
import { toHex } from './text.ts';
import { formatTime } from './time.ts';
import { type Certificate, publicKeyOf } from './x509/certificate.ts';
import type { Authority } from './x509/issue.ts';
import { isOurs, spkiOf } from './x509/signed.ts';

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
  if (now > certificate.notAfter) return refuse(`"${subject}" expired on ${formatTime(certificate.notAfter)}`);
  if (now < certificate.notBefore)
    return refuse(`"${subject}" is valid from ${formatTime(certificate.notBefore)}, and here it is ${formatTime(now)}`);
  return ok({ certificate, key });
}

function refuse(why: string): Result<never, CausewayError> {
  return fail(new CausewayError('certificate-invalid', `this CA cannot issue certificates: ${why}`));
}
