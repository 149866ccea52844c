import { type Certificate, type Credential, isPassing, nameOf } from '@causeway/identity';
import { identityDirectory, LiveCredential, readCredential } from '@causeway/identity/io';
import { CausewayError } from '@causeway/model';

interface OwnSettings {
  readonly name: string;
  readonly dataDir: string;
}

/**
 * The credential of the manager that has this data directory. `recover`: makes a new one in place of one that has expired.
 * `now`: Unix ms.
 * @throws CausewayError identity-missing: the manager has neither founded nor joined a cluster; data-damaged, key-exposed;
 * role-mismatch, name-taken: the credential is of another member
 */
export async function readOwnCredential(
  { name, dataDir }: OwnSettings,
  now: number,
  recover: () => Promise<Credential>,
): Promise<LiveCredential> {
  const credential = await readCredential(identityDirectory(dataDir));
  const { role, id } = nameOf(credential);
  if (role === 'manager' && id === name)
    return new LiveCredential(needsRecovery(credential.chain[0], now) ? await recover() : credential);
  const message = `the certificate in --data-dir ${dataDir} is of ${role}/${id}, and --name is ${name}: give the name or the directory that belong together`;
  throw new CausewayError('role-mismatch', message, { field: '--name', value: name });
}

/**
 * Whether the manager needs a certificate that is made without the store: the present one has expired, or was made so while the clock
 * of this host was ahead. A certificate from the store that is not valid yet stays: the clock is behind.
 */
export function needsRecovery(certificate: Pick<Certificate, 'notBefore' | 'notAfter'>, now: number): boolean {
  return now >= certificate.notAfter || (now < certificate.notBefore && isPassing(certificate));
}
