import { join } from 'node:path';
import type { Duration } from '@causeway/runtime';
import { maxRevisionEvents } from '../../store/store.ts';

export interface EmbeddedEtcdSettings {
  /** Name of the member, and of its manager. */
  readonly name: string;
  /** The manager's data directory. etcd's data, log and pid file are below it. */
  readonly dataDir: string;
  /** IP address at which the other managers reach this etcd; 127.0.0.1 for a cluster of one host. */
  readonly address: string;
  /** TCP port for etcd's clients, on 127.0.0.1 and on `address`. */
  readonly clientPort: number;
  /** TCP port for other members of etcd, on `address`. */
  readonly peerPort: number;
  /** Size of etcd's database, bytes, above which etcd refuses writes. */
  readonly quotaBytes: number;
  /** Time between two heartbeats of etcd's leader. */
  readonly heartbeat: Duration;
  /**
   * How long a member waits without a message from the leader before it stands for election. A random time, at most as
   * long again, is added.
   */
  readonly electionTimeout: Duration;
  readonly tls: EtcdTls;
}

/** With what etcd proves that it belongs to a manager, and whom it admits. */
export interface EtcdTls {
  /** Paths of PEM files: key and certificates of the manager; the roots of the cluster. etcd reads the first at each handshake. */
  readonly identity: string;
  readonly trust: string;
  /** Path of the list of certificates that etcd refuses. etcd reads it at each handshake, and refuses all if it is not there. */
  readonly revoked: string;
  /** The DNS name that all managers of the cluster have in their certificates, and nothing else has. */
  readonly managers: string;
}

/** How a member starts for the first time. Later starts find all of this in etcd's data. */
export interface Beginning {
  readonly state: 'new' | 'existing';
  /** All members as "name=url,…", this member included. */
  readonly cluster: string;
  /**
   * Random token of a new cluster. etcd derives the ids of cluster and members from names, URLs and this token. Without
   * it, a member that has lost its data would found a cluster with the same ids again, and the other members would take
   * it for the old cluster.
   */
  readonly token?: string;
}

/** An operation costs etcd less in a larger transaction: 37 µs with 1,000 operations, 54 µs with 120. */
export const embeddedTxnOps = maxRevisionEvents;

/** etcd's command line. It turns on no compaction: the managers compact the past (src/cluster/maintenance). */
export function embeddedFlags(settings: EmbeddedEtcdSettings, beginning?: Beginning): readonly string[] {
  const peer = peerUrl(settings);
  return [
    `--name=${settings.name}`,
    dataDirFlag(settings.dataDir),
    `--listen-client-urls=${clientUrls(settings).join(',')}`,
    `--advertise-client-urls=${advertisedUrl(settings)}`,
    `--listen-peer-urls=${peer}`,
    `--quota-backend-bytes=${settings.quotaBytes}`,
    `--heartbeat-interval=${settings.heartbeat}`,
    `--election-timeout=${settings.electionTimeout}`,
    `--max-txn-ops=${embeddedTxnOps}`,
    ...tlsFlags(settings.tls),
    '--logger=zap',
    '--log-level=warn',
    '--log-outputs=stderr',
    ...(beginning === undefined
      ? []
      : [
          `${beginningFlag}advertise-peer-urls=${peer}`,
          `${beginningFlag}cluster=${beginning.cluster}`,
          `${beginningFlag}cluster-state=${beginning.state}`,
          ...(beginning.token === undefined ? [] : [`${beginningFlag}cluster-token=${beginning.token}`]),
        ]),
  ];
}

function tlsFlags({ identity, trust, revoked, managers }: EtcdTls): readonly string[] {
  return [
    ...['', 'peer-'].flatMap((of) => [
      `--${of}cert-file=${identity}`,
      `--${of}key-file=${identity}`,
      `--${of}trusted-ca-file=${trust}`,
      `--${of}client-cert-auth`,
    ]),
    `--client-crl-file=${revoked}`,
    `--peer-crl-file=${revoked}`,
    `--client-cert-allowed-hostname=${managers}`,
    `--peer-cert-allowed-hostname=${managers}`,
    // Otherwise etcd compares a member's certificate with the address that the member dials from, which may be any address
    // of a host with several, and asks DNS for the name of the managers.
    '--experimental-peer-skip-client-san-verification',
    '--tls-min-version=TLS1.3',
  ];
}

const beginningFlag = '--initial-';

/** Whether an etcd that runs with these flags does what the settings ask. The flags of its first start are ignored. */
export function areFlagsOf(settings: EmbeddedEtcdSettings, flags: readonly string[]): boolean {
  const lasting = flags.filter((flag) => !flag.startsWith(beginningFlag));
  return String(lasting) === String(embeddedFlags(settings));
}

/** Client URL for the manager on the same host. */
export function clientUrl({ clientPort }: Pick<EmbeddedEtcdSettings, 'clientPort'>): string {
  return `https://127.0.0.1:${clientPort}`;
}

/** Client URL for the other managers. */
export function advertisedUrl({ address, clientPort }: EmbeddedEtcdSettings): string {
  return `https://${inUrl(address)}:${clientPort}`;
}

export function peerUrl({ address, peerPort }: Pick<EmbeddedEtcdSettings, 'address' | 'peerPort'>): string {
  return `https://${inUrl(address)}:${peerPort}`;
}

export function etcdDirectory(dataDir: string): string {
  return join(dataDir, 'etcd');
}

/** This flag identifies a process as the etcd of that directory. */
export function dataDirFlag(dataDir: string): string {
  return `--data-dir=${etcdDirectory(dataDir)}`;
}

/**
 * The environment without etcd's own variables, which would override or contradict the flags. (ETCD_UNSUPPORTED_ARCH
 * stays: it is a permission.)
 */
export function embeddedEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([variable]) => !variable.startsWith('ETCD_') || variable === 'ETCD_UNSUPPORTED_ARCH',
  );
  return Object.fromEntries(kept);
}

function clientUrls(settings: EmbeddedEtcdSettings): readonly string[] {
  return [...new Set([clientUrl(settings), advertisedUrl(settings)])];
}

function inUrl(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
