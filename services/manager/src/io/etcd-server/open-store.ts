import type { Removals } from '@causeway/identity';
import type { ClientCredentials, LiveCredential } from '@causeway/identity/io';
import type { Log } from '@causeway/runtime';
import { cryptoRandom, systemClock } from '@causeway/runtime/io';
import type { ManagerConfig } from '../../config/config.ts';
import type { View } from '../../store/view.ts';
import type { ClusterRecord } from '../cluster-record.ts';
import { memberCredentials, tlsCredentials } from '../etcd/credentials.ts';
import { StoreIdentity } from '../etcd/identity.ts';
import { EtcdStore } from '../etcd/store.ts';
import { readPeers } from '../kept-peers.ts';
import { cutStrangers } from './cut-strangers.ts';
import { discoverClusters } from './discover.ts';
import { EmbeddedEtcd } from './embedded-etcd.ts';
import { embeddedTxnOps } from './flags.ts';
import { RevokedManagers } from './revoked-managers.ts';
import { tcpConnections } from './tcp-connections.ts';
import { etcdTlsOf } from './tls.ts';

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

/** The store of this manager; with `--etcd embedded` also the etcd, which the caller starts. */
export async function openStore(
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
  const known = new Set([...join, ...(await readPeers({ log }, dataDir))]);
  const managers = [...known].filter((address) => address !== advertise);
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

/** What this manager's etcd knows of removed managers. */
export function revokedManagers(
  { view, credential, store, etcd, log }: RevokedParts,
  { name, dataDir }: Pick<ManagerConfig, 'name' | 'dataDir'>,
): RevokedManagers {
  const parts = { clock: systemClock, log };
  const cutting = { ...parts, etcd, connections: tcpConnections, members: () => store.members() };
  const cut = (signal: AbortSignal): Promise<void> => cutStrangers(cutting, name, signal);
  return new RevokedManagers({ ...parts, view, credential, cut }, { dataDir });
}

interface RevokedParts {
  readonly view: View;
  readonly credential: LiveCredential;
  readonly store: EtcdStore;
  readonly etcd: EmbeddedEtcd;
  readonly log: Log;
}
