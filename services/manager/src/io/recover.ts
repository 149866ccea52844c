import {
  type Certificate,
  type Credential,
  formatTime,
  keysOf,
  managerDnsName,
  nameOf,
  parseUnlockKey,
  type SealingKey,
  unlock,
} from '@causeway/identity';
import { createKey, identityDirectory, readCredential, readSecretFile, writeCredential } from '@causeway/identity/io';
import { CausewayError, type ClusterId, type Name, unwrap } from '@causeway/model';
import type { Clock, Log, Random } from '@causeway/runtime';
import type { ExternalSigner } from '../cluster/ca/external-signer.ts';
import { type CaOnDisk, recoverCredential } from '../cluster/ca/recover.ts';
import { readFounding } from './founding-file.ts';
import { readKeptCa } from './kept-ca.ts';
import { readSealingKey } from './sealing-key-file.ts';

export interface RecoverParts {
  readonly clock: Pick<Clock, 'wall'>;
  readonly random: Random;
  readonly log: Log;
  /** The CA of `--ca-program`; absent: the cluster has the key of its CA. */
  readonly external?: ExternalSigner;
}

export interface RecoverSettings {
  /** Data directory of the manager. */
  readonly dataDir: string;
  /** File with the unlock key, for a manager that is locked. */
  readonly unlockKeyFile?: string;
}

/**
 * A new credential for the manager whose certificate is not valid now, on its disk when this resolves. Without it, a cluster whose managers
 * were all stopped for longer than their certificates live would never start again: etcd and its clients need the certificate, and
 * only managers with a store renew certificates.
 * @throws CausewayError certificate-expired: it cannot be made here; data-damaged, key-exposed, external-ca-failed
 */
export async function recoverManager(parts: RecoverParts, settings: RecoverSettings): Promise<Credential> {
  const { clock, random, log } = parts;
  const { dataDir } = settings;
  const expired = await readCredential(identityDirectory(dataDir));
  const [{ notBefore, notAfter }] = expired.chain;
  const now = clock.wall();
  const { role, id } = nameOf(expired);
  const why = `the certificate of this manager is valid from ${formatTime(notBefore)} until ${formatTime(notAfter)}, and here it is ${formatTime(now)}`;
  const disk = await readCa(parts, settings, why, ofManager);
  // The same key: what the managers have sealed for this manager is sealed for this key.
  const member = { to: { role, id }, hosts: hostsIn(expired.chain[0], disk.clusterId), key: expired.key };
  const credential = await recoverCredential({ random, now }, disk, member, neverAborted);
  await writeCredential(identityDirectory(dataDir), credential);
  log.warn('manager.recovered', { expired: formatTime(notAfter), until: formatTime(credential.chain[0].notAfter) });
  return credential;
}

/**
 * Writes a new credential for an operator to a directory.
 * @throws CausewayError capability-missing: it cannot be made here; data-damaged, key-exposed, external-ca-failed
 */
export async function recoverOperator(
  parts: RecoverParts,
  settings: RecoverSettings,
  operator: Name,
  directoryOf: (cluster: ClusterId) => string,
): Promise<{ readonly directory: string; readonly credential: Credential }> {
  const disk = await readCa(parts, settings, `no certificate of ${operator} can be made here`, ofOperator);
  const member = { to: { role: 'operator', id: operator }, hosts: [], key: createKey() } as const;
  const { clock, random } = parts;
  const made = await recoverCredential({ random, now: clock.wall() }, disk, member, neverAborted);
  const directory = directoryOf(disk.clusterId);
  await writeCredential(directory, made);
  return { directory, credential: made };
}

/** What to do if the CA cannot be read. */
const ofManager =
  'set the clock right if it is wrong; otherwise, if another manager runs, run "causeway join" again with a manager\'s token, else recover on a manager that has this file';
const ofOperator =
  'run this command on a manager that has this file; if an operator still has a valid certificate, use a token of "causeway operator token" instead';

/** `why`: the begin of the message if it cannot be read. */
async function readCa(
  { external }: RecoverParts,
  { dataDir, unlockKeyFile }: RecoverSettings,
  why: string,
  remedy: string,
): Promise<CaOnDisk> {
  const founding = await readFounding(dataDir);
  const kept = founding ?? (await readKeptCa(dataDir));
  const file = await readSealingKey(dataDir);
  if (kept === undefined || file === undefined) {
    const missing = kept === undefined ? 'ca.json' : 'sealing-key.json';
    const message = `${why}, and ${dataDir} has no ${missing}, from which a certificate is made: ${remedy}`;
    throw new CausewayError('certificate-expired', message, { path: dataDir });
  }
  if (file.state === 'locked' && unlockKeyFile === undefined) {
    const message = `${why}, and the sealing key is locked: run "causeway-manager recover --unlock-key-file FILE" with the unlock key in FILE`;
    throw new CausewayError('unlock-key-missing', message, { path: dataDir });
  }
  const unlockKey = unlockKeyFile === undefined ? undefined : await readUnlockKey(unlockKeyFile);
  const open = file.state === 'open' ? file : unwrap(unlock(file, unlockKey));
  const { clusterId, ca } = kept;
  return { clusterId, ca, sealingKeys: keysOf(open), ...(external !== undefined && { external }) };
}

async function readUnlockKey(path: string): Promise<SealingKey> {
  const content = await readSecretFile(path);
  if (content !== undefined) return unwrap(parseUnlockKey(content.trim()));
  const message = `--unlock-key-file ${path}: there is no such file`;
  throw new CausewayError('invalid-argument', message, { field: '--unlock-key-file' });
}

/** DNS names and IP addresses, besides the name that every manager's certificate has. */
function hostsIn({ x509 }: Certificate, cluster: ClusterId): readonly string[] {
  const names = (x509.subjectAltName ?? '').split(', ');
  const hosts = names.flatMap((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1] ?? []);
  return hosts.filter((host) => host !== managerDnsName(cluster));
}

/** A recovery ends with its process. */
const neverAborted = new AbortController().signal;
