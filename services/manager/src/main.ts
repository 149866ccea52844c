#!/usr/bin/env node
import { type Credential, nameOf, type Removals } from '@causeway/identity';
import { ClientCredentials, identityDirectory, Renewal, type Trust, writeCredential } from '@causeway/identity/io';
import { CertificateServiceClient } from '@causeway/proto/gen/causeway/v1/certificate_service.grpc-client.js';
import { CertificateCalls, limitConnects, quietGrpc } from '@causeway/proto/io';
import { type Log, type LogSettings, randomUuid, version } from '@causeway/runtime';
import { createLog, cryptoRandom, DirectoryLock, serviceManager, systemClock } from '@causeway/runtime/io';
import { CommanderError } from 'commander';
import { StoreTrust } from './cluster/membership/store-trust.ts';
import { Registration } from './cluster/registration.ts';
import { schema } from './cluster/schema.ts';
import { type ManagerConfig, readConfig } from './config/config.ts';
import { CaProgram } from './io/ca-program.ts';
import { type ClusterRecord, readClusterRecord, writeClusterRecord } from './io/cluster-record.ts';
import { prepareDataDir } from './io/data-dir.ts';
import { claimDataDir } from './io/data-dir-lock.ts';
import { formatCluster } from './io/etcd/identity.ts';
import type { EtcdStore } from './io/etcd/store.ts';
import { createChecksum } from './io/etcd-server/checksum.ts';
import { followMembers } from './io/etcd-server/follow-members.ts';
import { EtcdMaintenance } from './io/etcd-server/maintenance.ts';
import { EtcdMembership } from './io/etcd-server/membership.ts';
import { openStore, revokedManagers } from './io/etcd-server/open-store.ts';
import { readFoundation } from './io/foundation.ts';
import { removeFounding } from './io/founding-file.ts';
import { GrpcDialer } from './io/grpc/dialer.ts';
import { GrpcPeers } from './io/grpc/peers.ts';
import { GrpcServer } from './io/grpc/server.ts';
import { limitHeapGrowth } from './io/heap.ts';
import { keepCa } from './io/kept-ca.ts';
import { keepPeers } from './io/kept-peers.ts';
import { readOwnCredential } from './io/own-credential.ts';
import { beside, runBeside, signers } from './io/process/beside.ts';
import { exitFailed, reportFailure } from './io/process/exit.ts';
import { readOptions } from './io/process/options.ts';
import { aborted, stopAsked } from './io/process/signals.ts';
import { recoverManager } from './io/recover.ts';
import { createManager, type Manager } from './manager.ts';
import { stopAll } from './stop-in-order.ts';
import { createKeys } from './store/keys.ts';

/** How to log when the settings themselves cannot be read. */
const unsaid: LogSettings = { level: 'info', format: 'json' };

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
  const learn = ({ managers }: Pick<Trust, 'managers'>): Promise<void> => keepPeers({ log }, config.dataDir, managers);
  const renewal = new Renewal({ ...parts, credential, source, keep, learn });
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
      if (changes.some(({ kind }) => kind === 'ca' || kind === 'manager')) renewal.wake();
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
