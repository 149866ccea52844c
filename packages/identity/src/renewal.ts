import { createPublicKey } from 'node:crypto';
import { CausewayError, fail, ok, type Result } from '@causeway/model';
import type { Credential, PrivateKey } from './credential.ts';
import { formatPeerName, parsePeerName } from './name.ts';
import { toHex } from './text.ts';
import { isIssuedBy, parseTrustBundle, type TrustBundle } from './trust.ts';
import { verifyPeer } from './verify.ts';
import { publicKeyOf, readCertificates } from './x509/certificate.ts';
import { spkiOf } from './x509/signed.ts';

/** What a manager answers to a request for a certificate, in PEM. */
export interface Renewed {
  readonly chain: string;
  readonly roots: string;
}

/**
 * Whether a credential must be renewed because the CA changes: the cluster trusts other roots than the holder does, or the
 * certificate is not from the newest root. `roots`: what the cluster trusts, the newest first.
 */
export function isOfFormerCa({ chain: [certificate], trust }: Credential, roots: TrustBundle): boolean {
  const text = (bundle: TrustBundle): string => bundle.map(({ der }) => toHex(der)).join();
  const [newest] = roots;
  return text(trust) !== text(roots) || (newest !== undefined && !isIssuedBy(certificate, newest));
}

/**
 * The credential that a holder has from now on. A certificate of another name or key, or which its own peers would refuse, is
 * not taken: it would cut the holder off.
 */
export function acceptRenewal(
  former: Credential,
  key: PrivateKey,
  { chain: pem, roots }: Renewed,
  now: number,
): Result<Credential, CausewayError> {
  const read = readCertificates(pem);
  if (!read.ok) return read;
  const trust = parseTrustBundle(roots);
  if (!trust.ok) return trust;
  const [certificate, ...issuers] = read.value;
  if (certificate === undefined) return refuse('there is none');
  if (toHex(publicKeyOf(certificate)) !== toHex(spkiOf(createPublicKey(key)))) return refuse('it is of another key');
  const name = parsePeerName(former.chain[0].uris[0] ?? '');
  if (!name.ok) return name;
  if (certificate.uris.join() !== formatPeerName(name.value)) return refuse('it is of another name');
  const { cluster, role } = name.value;
  const verified = verifyPeer(read.value, { cluster, roles: [role], trust: trust.value, now });
  return verified.ok ? ok({ key, chain: [certificate, ...issuers], trust: trust.value }) : verified;
}

function refuse(why: string): Result<never, CausewayError> {
  return fail(new CausewayError('certificate-invalid', `the renewed certificate cannot be used: ${why}`));
}
