#!/usr/bin/env node
import { type Credential, nameOf, type Removals, type SealingKeyFile } from '@causeway/identity';
import {
  ClientCredentials,
  createKey,
  identityDirectory,
  type LiveCredential,
  Renewal,
  writeCredential,
} from '@causeway/identity/io';
import { CausewayError, isCausewayError, messageOf, visible } from '@causeway/model';
import { CertificateServiceClient } from '@causeway/proto/gen/causeway/v1/certificate_service.grpc-client.js';
import { CertificateCalls, limitConnects, quietGrpc } from '@causeway/proto/io';
import {
  type Clock,
  explainMissingOption,
  type Log,
  type LogSettings,
  milliseconds,
  randomUuid,
  version,
} from '@causeway/runtime';
import { createLog, cryptoRandom, DirectoryLock, serviceManager, systemClock } from '@causeway/runtime/io';
import { Command, CommanderError, Option } from 'commander';
import type { Founding } from './cluster/bootstrap.ts';
import { Custody } from './cluster/ca/custody.ts';
import { ExternalSigner } from './cluster/ca/external-signer.ts';
import { StoreTrust } from './cluster/membership/store-trust.ts';
import { Registration } from './cluster/registration.ts';
import { schema } from './cluster/schema.ts';
import { type ManagerConfig, type Options, optionSpecs, readConfig } from './config/config.ts';
import { CaProgram } from './io/ca-program.ts';
import { type ClusterRecord, readClusterRecord, writeClusterRecord } from './io/cluster-record.ts';
import { prepareDataDir } from './io/data-dir.ts';
import { claimDataDir } from './io/data-dir-lock.ts';
import { memberCredentials, tlsCredentials } from './io/etcd/credentials.ts';
import { formatCluster, StoreIdentity } from './io/etcd/identity.ts';
import { EtcdStore } from './io/etcd/store.ts';
import { createChecksum } from './io/etcd-server/checksum.ts';
import { cutStrangers } from './io/etcd-server/cut-strangers.ts';
import { discoverClusters } from './io/etcd-server/discover.ts';
import { EmbeddedEtcd } from './io/etcd-server/embedded-etcd.ts';
import { embeddedTxnOps } from './io/etcd-server/flags.ts';
import { followMembers } from './io/etcd-server/follow-members.ts';
import { initCommand } from './io/etcd-server/init-command.ts';
import { EtcdMaintenance } from './io/etcd-server/maintenance.ts';
import { EtcdMembership } from './io/etcd-server/membership.ts';
import { recoverCommand } from './io/etcd-server/recover-command.ts';
import { restoreCommand } from './io/etcd-server/restore-command.ts';
import { RevokedManagers } from './io/etcd-server/revoked-managers.ts';
import { tcpConnections } from './io/etcd-server/tcp-connections.ts';
import { etcdTlsOf } from './io/etcd-server/tls.ts';
import { readFounding, removeFounding } from './io/founding-file.ts';
import { GrpcDialer } from './io/grpc/dialer.ts';
import { GrpcPeers } from './io/grpc/peers.ts';
import { GrpcServer } from './io/grpc/server.ts';
import { limitHeapGrowth } from './io/heap.ts';
import { keepCa } from './io/kept-ca.ts';
import { readOwnCredential } from './io/own-credential.ts';
import { recoverManager } from './io/recover.ts';
import { readSealingKey, writeSealingKey } from './io/sealing-key-file.ts';
import { createManager, type Manager } from './manager.ts';
import { stopInOrder } from './stop-in-order.ts';
import { createKeys } from './store/keys.ts';

/** Exit code for settings that cannot be used; `exitFailed` is for a failure that may pass. */
const exitUnusable = 2;
const exitFailed = 1;
/** Exit code when another manager has the data directory or the name. That manager may end, and then a restart helps. */
const exitConflict = 4;

/** Time from the signal to the end of the process and its etcd, ms, even when nothing answers. systemd waits longer. */
const stopWithin = 4_600;
/** Time that each step of the stop has at least, ms, even when all steps before it were late. */
const leastForStep = 500;

/** How to log when the settings themselves cannot be read. */
const unsaid: LogSettings = { level: 'info', format: 'json' };

/** Commands on the data directory of a manager that does not run. */
const beside: Readonly<Record<string, (log: Log) => Command>> = {
  init: (log) => initCommand({ clock: systemClock, random: cryptoRandom, caProgram: signers(log) }),
  recover: (log) => recoverCommand({ clock: systemClock, random: cryptoRandom, log, caProgram: signers(log) }),
  restore: (log) => restoreCommand({ clock: systemClock, random: cryptoRandom, log }),
};

/** External CAs, by the path of their program. */
function signers(log: Log): (path: string) => ExternalSigner {
  return (path) => new ExternalSigner({ ca: new CaProgram(path, { log }), clock: systemClock, log });
}

// A stop may leave something behind, such as a call that etcd does not answer. That must not keep the process alive.
process.exit(await main());

async function main(): Promise<number> {
  const [first = '', ...rest] = process.argv.slice(2);
  if (Object.hasOwn(beside, first)) return await runBeside(first, rest);
  let config: ManagerConfig;
  try {
    config = readConfig(readOptions(process.argv));
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    return reportFailure(createLog(unsaid, { process: 'manager' }), error);
  }
  const log = createLog(config.log, { process: 'manager', manager: config.name });
  process.on('uncaughtException', (error) => {
    log.error('process.failed', { message: error.message, stack: error.stack });
    process.exit(exitFailed);
  });
  try {
    await prepareDataDir(config.dataDir);
    await claimDataDir(new DirectoryLock(config.dataDir), config);
    await serve(config, log);
    return 0;
  } catch (error) {
    return reportFailure(log, error);
  }
}

async function runBeside(name: string, words: readonly string[]): Promise<number> {
  const log = createLog({ level: 'warn', format: 'text' }, { process: 'manager' });
  try {
    await beside[name]?.(log).exitOverride().parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitUnusable;
    return tellFailure(error);
  }
}

function readOptions(argv: readonly string[]): Options {
  const command = new Command('causeway-manager')
    .description('Keeps the networks of a cluster, and distributes them to its hosts.')
    .version(version)
    .addHelpText(
      'after',
      '\ncauseway-manager init: begin a new cluster; causeway-manager restore: begin a cluster from a backup; causeway-manager recover: new certificates when all have expired. Each has --help.',
    )
    .allowExcessArguments(false)
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  for (const spec of optionSpecs) {
    const option = new Option(spec.flag, spec.help).env(spec.variable);
    if (spec.default !== undefined) option.default(spec.default);
    if (spec.default === undefined && spec.optional === undefined) option.makeOptionMandatory();
    command.addOption(option);
  }
  try {
    return command.parse(argv).opts<Options & Record<string, string>>();
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode === 0) throw error;
    const message = explainMissingOption(error.message.replace(/^error: /, ''), command.options);
    throw new CausewayError('invalid-argument', `${message}; see --help`);
  }
}

/**
 * Runs until a signal asks the manager to end. Listens first, so that a taken port is reported before anything else
 * begins.
 */
async function serve(config: ManagerConfig, log: Log): Promise<void> {
  limitHeapGrowth();
  limitConnects();
  quietGrpc();
  const asked = stopAsked();
  const parts = { clock: systemClock, random: cryptoRandom, log };
  const belongsTo = await readClusterRecord(config.dataDir);
  const externalCa = config.caProgram === undefined ? undefined : new CaProgram(config.caProgram, { log });
  const recover = (): Promise<Credential> =>
    recoverManager({ ...parts, ...(config.caProgram && { external: signers(log)(config.caProgram) }) }, config);
  const credential = await readOwnCredential(config, systemClock.wall(), recover);
  const { founding, custody } = await readFoundation(config, credential, log);
  // What the managers have removed is known when the store has been read; before, nothing is.
  const removals = (): Removals => manager.view.removals;
  const credentials = ClientCredentials.toManagers(credential, () => systemClock.wall(), removals);
  const { store, etcd } = await openStore(config, log, { belongsTo, credential, credentials, removals });
  const peers = new GrpcPeers({ credentials });
  const dialer = new GrpcDialer({ credentials });
  const operation = {
    maintenance: new EtcdMaintenance(store.access),
    createChecksum,
    ...(etcd !== undefined && {
      membership: new EtcdMembership(store.access),
      found: followMembers({ store, etcd, log }),
    }),
  };
  const instance = randomUuid(cryptoRandom);
  const settings = {
    ...{ ...config, instance },
    ...(founding === undefined ? { clusterId: nameOf(credential.current).cluster } : { founding }),
  };
  const modules = {
    ...parts,
    store,
    peers,
    dialer,
    operation,
    ...(custody && { custody }),
    ...(externalCa && { externalCa }),
  };
  const manager = createManager(modules, settings);
  const keys = createKeys(config.prefix);
  const self = { name: config.name, address: config.advertise, version };
  const server = new GrpcServer({ manager, credential, clock: systemClock, log }, config);
  const etcdMember = etcd === undefined ? '' : config.name;
  const registration = new Registration({ ...parts, store, keys, peers }, { ...self, etcdMember, schema, instance });
  const trust =
    etcd &&
    new StoreTrust(
      {
        ...{ ...parts, etcd, view: manager.view, membership: new EtcdMembership(store.access) },
        onDisk: () => credential.current.trust,
        register: (etcdTrust) => registration.changeTrust(etcdTrust),
      },
      config,
    );
  // The manager asks itself: it answers if it leads, and forwards otherwise.
  const own = new CertificateServiceClient(config.advertise, credentials);
  const source = new CertificateCalls({ client: () => own, newId: () => randomUuid(cryptoRandom) }, [config.advertise]);
  const keep = (next: Credential): Promise<void> => writeCredential(identityDirectory(config.dataDir), next);
  const renewal = new Renewal({ ...parts, credential, source, keep });
  const revoked = etcd && revokedManagers({ view: manager.view, credential, store, etcd, log }, config);
  const service = serviceManager(log);
  const start = async (): Promise<void> => {
    await server.start();
    // Ready before etcd is: a manager that waits for etcd's majority serves status, and its start has not failed.
    service.ready();
    await revoked?.start();
    await etcd?.start();
    await registration.start();
    await manager.start();
    await keepCluster(config.dataDir, manager, store, belongsTo);
    await removeFounding(config.dataDir);
    keepCa({ view: manager.view, log }, config.dataDir);
    await renewal.start();
    manager.view.subscribe((changes) => {
      if (changes.some(({ kind }) => kind === 'ca')) renewal.wake();
    });
    await trust?.start();
    log.info('manager.started', { listen: config.listen, advertise: config.advertise, version });
  };
  try {
    const running = start();
    await Promise.race([
      running.then(() => asked),
      asked,
      ...[etcd?.removed, manager.lost, registration.taken].map(aborted),
    ]);
    log.info('manager.stopping');
    service.stopping();
  } finally {
    server.drain();
    await stopAll(parts, [
      ['trust', () => trust?.stop()],
      ['renewal', () => renewal.stop().finally(() => own.close())],
      // Both at once, because the registration's stop also waits for the store.
      ['manager', () => Promise.all([manager.stop(), registration.stop()])],
      ['server', () => server.stop()],
      ['revocations', () => revoked?.stop()],
      ['store', () => store.close()],
      ['etcd', () => etcd?.stop()],
    ]);
  }
}

/** What this manager's etcd knows of removed managers. */
function revokedManagers(
  { view, credential, store, etcd, log }: RevokedParts,
  { name, dataDir }: Pick<ManagerConfig, 'name' | 'dataDir'>,
): RevokedManagers {
  const parts = { clock: systemClock, log };
  const cutting = { ...parts, etcd, connections: tcpConnections, members: () => store.members() };
  const cut = (signal: AbortSignal): Promise<void> => cutStrangers(cutting, name, signal);
  return new RevokedManagers({ ...parts, view, credential, cut }, { dataDir });
}

interface RevokedParts extends Pick<Manager, 'view'> {
  readonly credential: LiveCredential;
  readonly store: EtcdStore;
  readonly etcd: EmbeddedEtcd;
  readonly log: Log;
}

/**
 * Each step may use the time that is left, except the least time of the steps after it. So all steps have ended, or are
 * left behind, in time.
 */
async function stopAll(
  parts: { readonly clock: Clock; readonly log: Log },
  steps: readonly (readonly [name: string, stop: () => Promise<unknown> | undefined])[],
): Promise<void> {
  const end = parts.clock.now() + stopWithin;
  for (const [i, [name, stop]] of steps.entries()) {
    const limit = milliseconds(end - parts.clock.now() - leastForStep * (steps.length - i - 1));
    await stopInOrder(parts, [{ name, limit, stop: async () => void (await stop()) }]);
  }
}

/** Records to which cluster and etcd the data directory belongs from the first start on. */
async function keepCluster(
  dataDir: string,
  { view }: Pick<Manager, 'view'>,
  { identity }: EtcdStore,
  kept: ClusterRecord | undefined,
): Promise<void> {
  const { cluster } = view;
  if (kept !== undefined || cluster === undefined || identity.own === undefined) return;
  await writeClusterRecord(dataDir, { clusterId: cluster.id, etcdCluster: formatCluster(identity.own) });
}

/** @throws CausewayError data-damaged, key-exposed */
async function readFoundation(
  { name, dataDir }: Pick<ManagerConfig, 'name' | 'dataDir'>,
  credential: LiveCredential,
  log: Log,
): Promise<{ readonly founding?: Founding; readonly custody?: Custody }> {
  const founding = await readFounding(dataDir);
  const file = await readSealingKey(dataDir);
  if (founding !== undefined && founding.clusterId !== file?.cluster) {
    const message = `--data-dir ${dataDir}: "causeway-manager init" was interrupted there; run it again`;
    throw new CausewayError('data-damaged', message, { path: dataDir });
  }
  const keep = (changed: SealingKeyFile): Promise<void> => writeSealingKey(dataDir, changed);
  const own = { name, key: () => credential.current.key };
  const custody = file && new Custody({ keep, createKey, own, log }, file);
  return { ...(founding && { founding }), ...(custody && { custody }) };
}

interface Opened {
  readonly store: EtcdStore;
  readonly etcd?: EmbeddedEtcd;
}

interface Own {
  readonly belongsTo: ClusterRecord | undefined;
  readonly credential: LiveCredential;
  /** For connections to other managers. */
  readonly credentials: ClientCredentials;
  readonly removals: () => Removals;
}

async function openStore(
  { name, dataDir, advertise, etcd: config }: ManagerConfig,
  log: Log,
  { belongsTo, credential, credentials, removals }: Own,
): Promise<Opened> {
  const identity = new StoreIdentity(log, belongsTo && BigInt(`0x${belongsTo.etcdCluster}`));
  const parts = { clock: systemClock, random: cryptoRandom, log, identity };
  if (config.kind === 'external') {
    const files = config.tls === undefined ? undefined : await tlsCredentials(config.tls);
    return { store: new EtcdStore({ ...parts, ...(files !== undefined && { credentials: files }) }, config) };
  }
  const { join, ...settings } = config;
  // Operators may give every manager the same list of all managers.
  const managers = join.filter((address) => address !== advertise);
  const ask = (signal: AbortSignal) => discoverClusters({ clock: systemClock, credentials }, managers, signal);
  const ofMembers = { ...parts, credentials: memberCredentials(credential, () => systemClock.wall(), removals) };
  const etcd = new EmbeddedEtcd(
    { ...ofMembers, join: { managers, ask }, ...(belongsTo !== undefined && { belongsTo: belongsTo.clusterId }) },
    { name, dataDir, tls: etcdTlsOf(dataDir, credential), ...settings },
  );
  const store = new EtcdStore(ofMembers, {
    endpoints: [etcd.endpoint],
    maxTxnOps: embeddedTxnOps,
    electionTimeout: config.electionTimeout,
  });
  return { store, etcd };
}

/** Rejects with the signal's reason; never settles without a signal. */
function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error));
  });
}

/** Resolves at the first SIGTERM or SIGINT. The second ends the process at once. */
function stopAsked(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = (): void => {
      if (asked) process.exit(exitFailed);
      asked = true;
      resolve();
    };
    process.on('SIGTERM', ask);
    process.on('SIGINT', ask);
  });
}

/** Writes one log line for programs and one line for people. Returns the exit code. */
function reportFailure(log: Log, error: unknown): number {
  const known = isCausewayError(error) ? error : undefined;
  log.error('manager.failed', { code: known?.code, message: messageOf(error), ...known?.data });
  return tellFailure(error);
}

/** Writes one line for people. Returns the exit code. */
function tellFailure(error: unknown): number {
  const known = isCausewayError(error) ? error : undefined;
  process.stderr.write(`causeway-manager: ${visible(messageOf(error))}\n`);
  if (known?.code === 'lock-held' || known?.code === 'name-taken') return exitConflict;
  return known?.kind === 'invalid' || known?.kind === 'denied' ? exitUnusable : exitFailed;
}
