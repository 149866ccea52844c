import { readFile } from 'node:fs/promises';
import {
  type Certificate,
  checkAuthority,
  checkExternalAuthority,
  parsePrivateKey,
  readCertificates,
} from '@causeway/identity';
import { createKey, identityDirectory, readCredential, readSecretFile, writeCredential } from '@causeway/identity/io';
import { CausewayError, type ClusterId, isCausewayError, type Result } from '@causeway/model';
import { type Clock, type Duration, type Random, randomId } from '@causeway/runtime';
import type { Founding } from '../cluster/bootstrap.ts';
import type { ExternalSigner } from '../cluster/ca/external-signer.ts';
import { addOperator, foundCluster } from '../cluster/ca/founding.ts';
import type { Signing } from '../cluster/ca/signing.ts';
import { readFounding, writeFounding } from './founding-file.ts';
import { readSealingKey, writeSealingKey } from './sealing-key-file.ts';

export interface FoundingParts {
  readonly clock: Pick<Clock, 'wall'>;
  readonly random: Random;
  /** The program at this path, as a CA. */
  readonly caProgram: (path: string) => ExternalSigner;
}

/** A CA of the operator's own, by paths: its certificate, and either its private key or the program that has the key. */
export type OwnCa = { readonly certificate: string } & ({ readonly key: string } | { readonly program: string });

export interface FoundingSettings {
  readonly dataDir: string;
  /** Name of the manager. */
  readonly name: string;
  /** DNS names and IP addresses at which the manager's etcd is reached. */
  readonly hosts: readonly string[];
  /** Name of the first operator. */
  readonly operator: string;
  /** Where the operator's credential goes. */
  readonly operatorDirectory: (cluster: ClusterId) => string;
  /** Life of members' certificates. */
  readonly life: Duration;
  /** A CA of the operator's own; absent: a new CA. */
  readonly ca?: OwnCa;
}

/**
 * Makes a cluster that begins with the first start of the manager on this directory. Each file is whole or absent after a
 * crash. `founding.json` is written first and shows that this directory founds a cluster: a repetition completes what is
 * there, or begins anew when a crash came before the manager's files.
 * @throws CausewayError invalid-argument, key-exposed, data-damaged, certificate-invalid, external-ca-failed
 */
export async function prepareCluster(parts: FoundingParts, settings: FoundingSettings): Promise<Founding> {
  const { dataDir } = settings;
  const begun = await readFounding(dataDir);
  if (begun !== undefined) checkManager(begun, settings);
  const isWhole = begun !== undefined && (await readManagerFiles(dataDir)) === begun.clusterId;
  return await completeOperator(parts, settings, isWhole ? begun : await begin(parts, settings));
}

/** The cluster of the manager's credential and sealing key; undefined when a file is missing. */
async function readManagerFiles(dataDir: string): Promise<ClusterId | undefined> {
  const identity = await readCredential(identityDirectory(dataDir)).catch((error: unknown) => {
    if (isCausewayError(error, 'identity-missing')) return undefined;
    throw error;
  });
  const file = await readSealingKey(dataDir);
  return identity && file?.cluster;
}

async function begin({ clock, random, caProgram }: FoundingParts, settings: FoundingSettings): Promise<Founding> {
  const { dataDir, ca } = settings;
  const clusterId = randomId(random) as ClusterId;
  const now = clock.wall();
  const signing = ca && (await readSigning(ca, caProgram, now));
  const made = await foundCluster(
    { createKey, random, now },
    { ...settings, clusterId, manager: settings.name, ...(signing && { signing }) },
  );
  await writeFounding(dataDir, made.founding);
  await writeCredential(identityDirectory(dataDir), made.manager);
  await writeSealingKey(dataDir, { cluster: clusterId, state: 'open', key: made.sealingKey });
  return made.founding;
}

/** Its record is written first: a credential without a record would be unknown to the cluster. */
async function completeOperator(
  { clock, random, caProgram }: FoundingParts,
  { dataDir, operator, operatorDirectory, ca }: FoundingSettings,
  founding: Founding,
): Promise<Founding> {
  const directory = operatorDirectory(founding.clusterId);
  if (await holdsOperator(directory, founding)) return founding;
  const file = await readSealingKey(dataDir);
  if (file?.state !== 'open') {
    const message = `${dataDir} has no sealing key beside founding.json: empty the directory and run "causeway-manager init" again`;
    throw new CausewayError('data-damaged', message, { path: dataDir });
  }
  const parts = { createKey, random, now: clock.wall() };
  const external = ca !== undefined && 'program' in ca ? caProgram(ca.program) : undefined;
  const made = await addOperator(parts, { founding, sealingKey: file.key }, operator, external);
  await writeFounding(dataDir, made.founding);
  await writeCredential(directory, made.credential);
  return made.founding;
}

async function holdsOperator(directory: string, { certificates }: Founding): Promise<boolean> {
  try {
    const { chain } = await readCredential(directory);
    return certificates.some(({ role, serial }) => role === 'operator' && serial === chain[0].serial);
  } catch (error) {
    if (isCausewayError(error, 'identity-missing')) return false;
    throw error;
  }
}

function checkManager({ certificates }: Founding, { name, dataDir }: FoundingSettings): void {
  const manager = certificates.find(({ role }) => role === 'manager')?.id;
  if (manager === name) return;
  const message = `--data-dir ${dataDir}: a cluster was prepared there for the manager "${manager}", not "${name}": give that --name, or empty the directory`;
  throw new CausewayError('invalid-argument', message, { field: '--name', value: name });
}

/** A CA that the operator brings. The file of a key must be readable by its owner only. */
async function readSigning(ca: OwnCa, caProgram: FoundingParts['caProgram'], now: number): Promise<Signing> {
  const certificate = await readRoot(ca.certificate);
  if ('program' in ca) {
    const root = inOption('--ca-cert', ca.certificate, checkExternalAuthority(certificate, now));
    return { kind: 'external', root, signer: caProgram(ca.program) };
  }
  const secret = await readSecretFile(ca.key);
  if (secret === undefined) throw cannotRead('--ca-key', ca.key, undefined);
  const key = inOption('--ca-key', ca.key, parsePrivateKey(secret));
  return { kind: 'own', authority: inOption('--ca-cert', ca.certificate, checkAuthority(certificate, key, now)) };
}

async function readRoot(path: string): Promise<Certificate> {
  const pem = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw cannotRead('--ca-cert', path, cause);
  });
  const [certificate, ...others] = inOption('--ca-cert', path, readCertificates(pem));
  if (certificate !== undefined && others.length === 0) return certificate;
  throw new CausewayError('invalid-argument', `--ca-cert ${path}: expected one certificate`, { field: '--ca-cert' });
}

function inOption<Value>(field: string, path: string, result: Result<Value, CausewayError>): Value {
  if (result.ok) return result.value;
  throw new CausewayError(result.error.code, `${field} ${path}: ${result.error.message}`, { field, path });
}

function cannotRead(field: string, path: string, cause: unknown): CausewayError {
  return new CausewayError('invalid-argument', `${field} ${path}: cannot be read`, { field, path }, { cause });
}
