import { nameOf } from '@causeway/identity';
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
