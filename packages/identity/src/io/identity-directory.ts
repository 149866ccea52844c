import { join } from 'node:path';
import { CausewayError, type Result } from '@causeway/model';
import { type Credential, formatIdentity, parseIdentity } from '../credential.ts';
import { formatTrustBundle, parseTrustBundle } from '../trust.ts';
import { formatRevocationList } from '../x509/revocation-list.ts';
import { readSecretFile, writeSecretFile } from './secret-file.ts';

/** Where a manager or an agent has its credential, below its data directory. */
export function identityDirectory(dataDir: string): string {
  return join(dataDir, 'identity');
}

/**
 * The files of one credential in a directory of mode 0700. etcd can be given the same files: it takes the key and the
 * certificates out of identity.pem.
 */
export function identityPaths(directory: string): { readonly identity: string; readonly trust: string } {
  return { identity: join(directory, 'identity.pem'), trust: join(directory, 'ca.pem') };
}

/**
 * The list of revoked certificates of managers, for etcd: beside the files of the credential, because etcd is given them
 * together. etcd reads the list at each handshake, and refuses all clients without it.
 */
export function revokedPath(directory: string): string {
  return join(directory, 'revoked.pem');
}

/** Durable when it resolves. `serials`: of the certificates. `now`: Unix ms. */
export async function writeRevoked(
  directory: string,
  credential: Pick<Credential, 'key' | 'chain'>,
  serials: readonly string[],
  now: number,
): Promise<void> {
  await writeSecretFile(revokedPath(directory), formatRevocationList(credential, serials, now));
}

/**
 * The roots are written first: if the process ends between the two, the old certificate is still good, because a new bundle
 * keeps the root of certificates that are in use.
 */
export async function writeCredential(directory: string, credential: Credential): Promise<void> {
  const paths = identityPaths(directory);
  await writeSecretFile(paths.trust, formatTrustBundle(credential.trust));
  await writeSecretFile(paths.identity, formatIdentity(credential));
}

/** Writes the credential again if one of its files was removed. */
export async function keepCredential(directory: string, credential: Credential): Promise<void> {
  const paths = identityPaths(directory);
  const found = await Promise.all([readSecretFile(paths.identity), readSecretFile(paths.trust)]);
  if (found.includes(undefined)) await writeCredential(directory, credential);
}

/** @throws CausewayError identity-missing, data-damaged, key-exposed */
export async function readCredential(directory: string): Promise<Credential> {
  const paths = identityPaths(directory);
  const identity = from(paths.identity, parseIdentity(await readFile(paths.identity)));
  const trust = from(paths.trust, parseTrustBundle(await readFile(paths.trust)));
  return { ...identity, trust };
}

async function readFile(path: string): Promise<string> {
  const text = await readSecretFile(path);
  if (text !== undefined) return text;
  const message = `there is no ${path}: this host has not joined a cluster; run "causeway join" or "causeway init"`;
  throw new CausewayError('identity-missing', message, { path });
}

/** Says which file it is. What the file contains is not in the error. */
function from<Value>(path: string, parsed: Result<Value, CausewayError>): Value {
  if (parsed.ok) return parsed.value;
  const message = `${path}: ${parsed.error.message}; if the file is lost, remove this host from the cluster and join again`;
  throw new CausewayError('data-damaged', message, { path });
}
