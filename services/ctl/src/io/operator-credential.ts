import { join, resolve } from 'node:path';
import { DirectoryHome } from '@causeway/enrollment/io';
import {
  type Credential,
  isHalfOver,
  isLate,
  isOfFormerCa,
  nameOf,
  parseTrustBundle,
  type TrustBundle,
} from '@causeway/identity';
import {
  type CertificateSource,
  ClientCredentials,
  LiveCredential,
  noteManagers,
  RemovedManagers,
  readCredential,
  readMembershipNote,
  renew,
  type Trust,
  writeCredential,
} from '@causeway/identity/io';
import { CausewayError, isCausewayError, readManagerAddresses, unwrap } from '@causeway/model';
import { type Duration, milliseconds, seconds, within } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { inUse } from '../contexts/contexts.ts';
import { ContextDirectory, contextsDirectory } from '../contexts/io/context-directory.ts';

/**
 * Credentials of an operator, for connections to the managers. `context`: its name, or a directory, which has a "/"; absent:
 * the context in use. A manager is refused if a former command has learned of its removal.
 * @throws CausewayError identity-missing, data-damaged, key-exposed; role-mismatch: it is not of an operator
 */
export async function operatorCredentials(
  environment: NodeJS.ProcessEnv,
  context: string | undefined,
): Promise<ClientCredentials> {
  const { directory, credential } = await readOperator(environment, context);
  const removed = await RemovedManagers.open(directory);
  return ClientCredentials.toManagers(
    new LiveCredential(credential),
    () => systemClock.wall(),
    () => removed.removals,
  );
}

/** A manager, as an operator asks it for a certificate. */
export interface OperatorSource extends Pick<CertificateSource, 'renew'> {
  /** HOST:PORT of the manager. */
  readonly address: string;
  trust(signal: AbortSignal): Promise<Omit<Trust, 'time'>>;
}

/**
 * Learns which managers there are and which were removed, and renews the certificate of an operator when half of its life is over, or
 * the CA of the cluster has changed. The next connections use the new certificate, and refuse the removed managers.
 * @throws CausewayError as `operatorCredentials`, and as the source
 */
export async function renewOperator(
  environment: NodeJS.ProcessEnv,
  context: string | undefined,
  source: OperatorSource,
  signal: AbortSignal,
): Promise<void> {
  const { directory, credential } = await readOperator(environment, context);
  const { roots, removed, managers } = await source.trust(signal);
  await (await RemovedManagers.open(directory)).learn(removed);
  await learnManagers(directory, source.address, managers).catch(() => undefined); // a later command tries again
  const limit = renewalTimeOf(credential, unwrap(parseTrustBundle(roots)), systemClock.wall());
  if (limit === undefined) return;
  const keep = (next: Credential): Promise<void> => writeCredential(directory, next);
  const work = (over: AbortSignal) => renew({ source, keep, clock: systemClock }, credential, over);
  await within(systemClock, limit, work, signal);
}

/**
 * How long a command waits for a new certificate; undefined: the credential is not to be renewed. A CA may be a program, which takes
 * seconds. Most often a later command can try again, but not when the certificate is about to expire or all members wait for it.
 */
export function renewalTimeOf(credential: Credential, roots: TrustBundle, now: number): Duration | undefined {
  const [certificate] = credential.chain;
  if (isLate(certificate, now) || isOfFormerCa(credential, roots)) return seconds(10);
  return isHalfOver(certificate, now) ? milliseconds(1_500) : undefined;
}

/**
 * Keeps the managers for the next command. `asked`: the manager that has said this. If the context did not lead to it, the operator
 * has said another way to the managers, and the context stays. If the managers do not name it so, it is reached through a NAT, and stays.
 */
async function learnManagers(directory: string, asked: string, said: readonly string[]): Promise<void> {
  const told = readManagerAddresses(said);
  const { managers } = await readMembershipNote(directory);
  if (told.length === 0 || !managers.includes(asked)) return;
  await noteManagers(directory, told.includes(asked) ? told : [asked, ...told]);
}

interface Operator {
  readonly directory: string;
  readonly credential: Credential;
}

async function readOperator(environment: NodeJS.ProcessEnv, context: string | undefined): Promise<Operator> {
  const directory = await directoryOf(contextsDirectory(environment), context);
  const credential = await readCredential(directory).catch((error: unknown) => {
    throw isCausewayError(error, 'identity-missing') ? missing(`in ${directory}`, error) : error;
  });
  const { role, id } = nameOf(credential);
  if (role === 'operator') return { directory, credential };
  const message = `the credential in ${directory} is of ${role}/${id}, not of an operator: give another --context`;
  throw new CausewayError('role-mismatch', message, { path: directory, role });
}

/**
 * HOST:PORT of the managers that are known of a context. None for a context that cannot be used: the error comes when a
 * manager is asked.
 */
export async function managersOfContext(
  environment: NodeJS.ProcessEnv,
  context: string | undefined,
): Promise<readonly string[]> {
  try {
    const directory = await directoryOf(contextsDirectory(environment), context);
    return (await new DirectoryHome({ directory }).read())?.managers ?? [];
  } catch (error) {
    if (isCausewayError(error)) return [];
    throw error;
  }
}

async function directoryOf(contexts: string, context: string | undefined): Promise<string> {
  if (context?.includes('/')) return resolve(context);
  if (context !== undefined) return join(contexts, context);
  const known = new ContextDirectory(contexts);
  const all = await known.all();
  const name = inUse(all, await known.chosen());
  if (name !== undefined) return join(contexts, name);
  if (all.length === 0) throw missing(`for this user in ${contexts}`);
  const message = `there are several contexts (${all.map((each) => each.name).join(', ')}) and none is in use: choose one with --context, or with "causeway context use"`;
  throw new CausewayError('identity-missing', message, { path: contexts });
}

function missing(where: string, cause?: CausewayError): CausewayError {
  const message = `there is no credential of an operator ${where}: "causeway init" makes one with a new cluster, and "causeway context add" gets one with an operator's token`;
  return new CausewayError('identity-missing', message, {}, { cause });
}
