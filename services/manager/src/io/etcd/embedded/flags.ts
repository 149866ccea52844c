import { join } from 'node:path';

export interface EmbeddedEtcdSettings {
  /** The manager's own; etcd's data, log and pid file go below it. */
  readonly dataDir: string;
  /** On 127.0.0.1. */
  readonly clientPort: number;
  /** On 127.0.0.1; nobody calls there, but etcd has no way not to listen. */
  readonly peerPort: number;
  /** Above this size etcd takes no more writes. */
  readonly quotaBytes: number;
}

const name = 'embedded';

/** Seen by nobody else: a cluster of one, that keeps an hour of history for those who resume. */
export function embeddedFlags(settings: EmbeddedEtcdSettings): readonly string[] {
  const client = clientUrl(settings);
  const peer = `http://127.0.0.1:${settings.peerPort}`;
  return [
    `--name=${name}`,
    dataDirFlag(settings.dataDir),
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=${name}=${peer}`,
    '--auto-compaction-mode=periodic',
    '--auto-compaction-retention=1h',
    `--quota-backend-bytes=${settings.quotaBytes}`,
    '--logger=zap',
    '--log-level=warn',
    '--log-outputs=stderr',
  ];
}

export function clientUrl({ clientPort }: Pick<EmbeddedEtcdSettings, 'clientPort'>): string {
  return `http://127.0.0.1:${clientPort}`;
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
