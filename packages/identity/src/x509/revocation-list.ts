import type { Credential } from '../credential.ts';
import { fromHex } from '../text.ts';
import { encode, integer, sequence, time } from './der.ts';
import { subjectOf } from './issue.ts';
import { formatPem } from './pem.ts';
import { signatureAlgorithm, signed } from './signed.ts';

/**
 * A list of revoked certificates (RFC 5280 §5, version 2), in PEM, for the etcd of a manager, which knows no other way to refuse
 * a certificate that has not expired. The manager signs the list with its own key: etcd reads the serial numbers, and verifies
 * neither the signature nor who has issued the certificates. Our other verifiers do not read lists.
 * `serials`: hex digits. `now`: Unix ms.
 */
export function formatRevocationList(
  { key, chain: [own] }: Pick<Credential, 'key' | 'chain'>,
  serials: readonly string[],
  now: number,
): string {
  const revoked = serials.map((serial) => sequence(integer(fromHex(serial)), time(now)));
  const structure = sequence(
    integer(Uint8Array.of(1)),
    signatureAlgorithm(),
    subjectOf(own),
    time(now),
    ...(revoked.length === 0 ? [] : [sequence(...revoked)]), // an empty list is left out
  );
  return formatPem('X509 CRL', encode(signed(structure, key)));
}
