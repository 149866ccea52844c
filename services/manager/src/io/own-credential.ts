import { type Credential, formatTime, nameOf } from '@causeway/identity';
import { identityDirectory, LiveCredential, readCredential } from '@causeway/identity/io';
import { CausewayError } from '@causeway/model';

interface OwnSettings {
  readonly name: string;
  readonly dataDir: string;
}

/**
 * The credential of the manager that has this data directory.
 * @throws CausewayError identity-missing: the manager has neither founded nor joined a cluster; data-damaged, key-exposed;
 * role-mismatch, name-taken: the credential is of another member
 */
export async function readOwnCredential({ name, dataDir }: OwnSettings): Promise<LiveCredential> {
  const credential = await readCredential(identityDirectory(dataDir));
  const { role, id } = nameOf(credential);
  if (role === 'manager' && id === name) return new LiveCredential(credential);
  const message = `the certificate in --data-dir ${dataDir} is of ${role}/${id}, and --name is ${name}: give the name or the directory that belong together`;
  throw new CausewayError('role-mismatch', message, { field: '--name', value: name });
}

/**
 * Why a manager with this certificate cannot work: its etcd, and the other managers, refuse it. Undefined: it is still valid. `now`:
 * Unix ms.
 */
export function whyExpired({ chain: [{ notAfter }] }: Pick<Credential, 'chain'>, now: number): string | undefined {
  if (now <= notAfter) return undefined;
  return `the certificate of this manager expired on ${formatTime(notAfter)}, and here it is ${formatTime(now)}: etcd and the other managers refuse it. Set the clock right if it is ahead; otherwise run "causeway join" again with a manager's token, or, if the certificates of all managers have expired, follow docs/operations.md, "When something fails"`;
}
