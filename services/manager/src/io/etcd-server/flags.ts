import { join } from 'node:path';
import type { Duration } from '@causeway/runtime';
import { maxRevisionEvents } from '../../store/store.ts';

export interface EmbeddedEtcdSettings {
  /** The member's, which is the manager's. */
  readonly name: string;
  /** The manager's own; etcd's data, log and pid file go below it. */
  readonly dataDir: string;
  /** IP address at which the other managers reach this one's etcd; 127.0.0.1 for a cluster of one host. */
  readonly address: string;
  /** On 127.0.0.1 and on `address`. */
  readonly clientPort: number;
  /** On `address`. */
  readonly peerPort: number;
  /** Above this size etcd takes no more writes. */
  readonly quotaBytes: number;
  /** How often a leader says that it is there. */
  readonly heartbeat: Duration;
  /** How long a member hears nothing of the leader before it stands for election, up to twice as long by chance. */
  readonly electionTimeout: Duration;
}

/** How a member starts for the first time; on data that it has, it knows all that itself. */
export interface Beginning {
  readonly state: 'new' | 'existing';
  /** "name=url,…", itself included. */
  readonly cluster: string;
  /**
   * Of a new cluster: random. etcd makes the ids of cluster and member from names, URLs and this: without it a member that
   * has lost its data would found the very same cluster once more, and the others would take it for the old one.
   */
  readonly token?: string;
}

/** Each operation costs etcd less in a larger transaction: 37 µs instead of 54 (1,000 and 120 operations). */
export const embeddedTxnOps = maxRevisionEvents;

/** The past is compacted by the managers (src/cluster/maintenance), so etcd itself is not told to. */
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

const beginningFlag = '--initial-';

/** Whether an etcd that runs with these flags does what the settings ask, however it began. */
export function areFlagsOf(settings: EmbeddedEtcdSettings, flags: readonly string[]): boolean {
  const lasting = flags.filter((flag) => !flag.startsWith(beginningFlag));
  return String(lasting) === String(embeddedFlags(settings));
}

/** For the manager beside it. */
export function clientUrl({ clientPort }: Pick<EmbeddedEtcdSettings, 'clientPort'>): string {
  return `http://127.0.0.1:${clientPort}`;
}

/** For the other managers. */
export function advertisedUrl({ address, clientPort }: EmbeddedEtcdSettings): string {
  return `http://${inUrl(address)}:${clientPort}`;
}

export function peerUrl({ address, peerPort }: Pick<EmbeddedEtcdSettings, 'address' | 'peerPort'>): string {
  return `http://${inUrl(address)}:${peerPort}`;
}

export function etcdDirectory(dataDir: string): string {
  return join(dataDir, 'etcd');
}

/** By which a process is known to be the etcd of that directory. */
export function dataDirFlag(dataDir: string): string {
  return `--data-dir=${etcdDirectory(dataDir)}`;
}

/** Without etcd's own variables: they would override or contradict flags. (The one for unsupported machines is a permission.) */
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
