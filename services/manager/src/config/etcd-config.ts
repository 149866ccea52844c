import { type IpPort, parseIp } from '@causeway/model';
import { type Duration, milliseconds, parseDuration, seconds } from '@causeway/runtime';
import { defaultTxnOps } from '../store/store.ts';
import { type OptionSpec, readAddress, readPort, refuse } from './option.ts';

/** etcd's own default. */
const defaultElectionTimeout = seconds(1);

/** Settings of a manager's etcd, as text. */
export interface EtcdOptions {
  readonly etcd: string;
  readonly etcdClientPort: string;
  readonly etcdPeerPort: string;
  readonly etcdPeerAddress?: string;
  readonly etcdQuota: string;
  readonly etcdHistory: string;
  readonly etcdHeartbeat?: string;
  readonly etcdElectionTimeout?: string;
  readonly etcdMaxTxnOps?: string;
  readonly etcdCacert?: string;
  readonly etcdCert?: string;
  readonly etcdKey?: string;
  readonly join?: string;
}

export type EtcdConfig =
  /** An etcd that this manager runs as a child process. */
  | {
      readonly kind: 'embedded';
      readonly clientPort: number;
      readonly peerPort: number;
      /** IP address at which the other managers reach this etcd. */
      readonly address: string;
      readonly quotaBytes: number;
      readonly heartbeat: Duration;
      readonly electionTimeout: Duration;
      /** Host:port of the managers whose cluster this manager joins; empty: it joins no cluster. */
      readonly join: readonly string[];
    }
  /** An etcd cluster that the operator runs, by the client URLs of its members. */
  | {
      readonly kind: 'external';
      readonly endpoints: readonly string[];
      /** The --max-txn-ops of its members. */
      readonly maxTxnOps: number;
      readonly electionTimeout: Duration;
      readonly tls?: TlsFiles;
    };

/** Paths of PEM files. */
interface TlsFiles {
  readonly caCert?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Heartbeat and election timeout of embedded etcds on a LAN. A lost leader is replaced within one to two timeouts. etcd
 * asks for a heartbeat interval of at least the round trip between members (below 1 ms on a LAN), and for a timeout of
 * ten heartbeats. The timeout must also be longer than a busy machine or a slow disk may delay the leader's heartbeats.
 */
export const etcdElection = { heartbeat: milliseconds(50), timeout: milliseconds(500) } as const;

export const etcdOptionSpecs: readonly OptionSpec[] = [
  {
    flag: '--etcd <embedded|url,…>',
    variable: 'CAUSEWAY_ETCD',
    help: '"embedded": the manager runs an etcd member itself; otherwise the client URLs of an etcd cluster of your own',
    default: 'embedded',
  },
  {
    flag: '--join <ip:port,…>',
    variable: 'CAUSEWAY_JOIN',
    help: 'all managers of the cluster, this manager included, the same list on every host; with embedded etcd, a manager without data joins their cluster',
    optional: true,
  },
  {
    flag: '--etcd-peer-address <ip>',
    variable: 'CAUSEWAY_ETCD_PEER_ADDRESS',
    help: 'address at which other managers reach the embedded etcd; when absent, the address of --advertise with --join, otherwise 127.0.0.1, which other hosts cannot reach',
    optional: true,
  },
  {
    flag: '--etcd-client-port <port>',
    variable: 'CAUSEWAY_ETCD_CLIENT_PORT',
    help: 'client port of the embedded etcd, on 127.0.0.1 and the peer address',
    default: '2379',
  },
  {
    flag: '--etcd-peer-port <port>',
    variable: 'CAUSEWAY_ETCD_PEER_PORT',
    help: 'peer port of the embedded etcd, on the peer address',
    default: '2380',
  },
  {
    flag: '--etcd-quota <size>',
    variable: 'CAUSEWAY_ETCD_QUOTA',
    help: 'size of the embedded etcd’s database at which etcd refuses writes, 16MiB to 8GiB',
    default: '2GiB',
  },
  {
    flag: '--etcd-history <duration>',
    variable: 'CAUSEWAY_ETCD_HISTORY',
    help: 'how much of etcd’s history the leader keeps when it compacts, 1m to 24h; 0s: the leader never compacts, for an etcd that other programs use too',
    default: '1h',
  },
  {
    flag: '--etcd-heartbeat <duration>',
    variable: 'CAUSEWAY_ETCD_HEARTBEAT',
    help: 'heartbeat interval of the embedded etcds, 10ms to 1s; at least the round-trip time between managers. When absent 50ms',
    optional: true,
  },
  {
    flag: '--etcd-election-timeout <duration>',
    variable: 'CAUSEWAY_ETCD_ELECTION_TIMEOUT',
    help: 'how long the etcd members wait without a heartbeat before they elect another leader, 100ms to 10s, at least 5 heartbeats; the same for all managers. When absent 500ms. With an etcd of your own: the --election-timeout of its members; when absent 1s, etcd’s default',
    optional: true,
  },
  {
    flag: '--etcd-max-txn-ops <count>',
    variable: 'CAUSEWAY_ETCD_MAX_TXN_OPS',
    help: 'the --max-txn-ops of the members of an etcd of your own, 128 to 10000; when absent 128, etcd’s default. With 1000, more claims share a transaction; a larger value has no effect',
    optional: true,
  },
  {
    flag: '--etcd-cacert <file>',
    variable: 'CAUSEWAY_ETCD_CACERT',
    help: 'PEM file of the certificate authorities for https etcds; when absent the system’s',
    optional: true,
  },
  {
    flag: '--etcd-cert <file>',
    variable: 'CAUSEWAY_ETCD_CERT',
    help: 'PEM file of the client certificate for https etcds',
    optional: true,
  },
  {
    flag: '--etcd-key <file>',
    variable: 'CAUSEWAY_ETCD_KEY',
    help: 'PEM file of the key of --etcd-cert',
    optional: true,
  },
];

/** @throws CausewayError invalid-argument that names the flag */
export function readEtcd(options: EtcdOptions, advertise: Pick<IpPort, 'ip'>): EtcdConfig {
  return options.etcd === 'embedded' ? readEmbedded(options, advertise) : readExternal(options);
}

/** @throws CausewayError invalid-argument */
export function readHistory(text: string): Duration {
  const history = parseDuration(text);
  const fits = history === 0 || (history !== undefined && history >= 60_000 && history <= 24 * 3_600_000);
  return fits && history !== undefined ? history : refuse('--etcd-history', text, 'a duration of 1m to 24h, or 0s');
}

function readEmbedded(options: EtcdOptions, advertise: Pick<IpPort, 'ip'>): EtcdConfig {
  const clientPort = readPort(options.etcdClientPort, '--etcd-client-port');
  const peerPort = readPort(options.etcdPeerPort, '--etcd-peer-port');
  if (clientPort === peerPort) refuse('--etcd-peer-port', options.etcdPeerPort, 'a port other than --etcd-client-port');
  for (const [flag, value] of tlsFlags(options))
    if (value !== undefined) refuse(flag, value, 'no value with --etcd embedded: the option is for --etcd https://…');
  if (options.etcdMaxTxnOps !== undefined)
    refuse(
      '--etcd-max-txn-ops',
      options.etcdMaxTxnOps,
      'no value with --etcd embedded: the manager sets the option of that etcd',
    );
  const join =
    options.join === undefined ? [] : options.join.split(',').map((text) => readAddress(text, '--join').text);
  const quotaBytes = readQuota(options.etcdQuota);
  const address = readPeerAddress(options, advertise);
  return { kind: 'embedded', clientPort, peerPort, address, quotaBytes, ...readElection(options), join };
}

/** etcd refuses an election timeout of less than 5 heartbeats. */
function readElection(options: EtcdOptions): { readonly heartbeat: Duration; readonly electionTimeout: Duration } {
  const { etcdHeartbeat = `${etcdElection.heartbeat}ms` } = options;
  const heartbeat = parseDuration(etcdHeartbeat);
  if (heartbeat === undefined || !Number.isInteger(heartbeat) || heartbeat < 10 || heartbeat > seconds(1))
    return refuse('--etcd-heartbeat', etcdHeartbeat, 'a duration of 10ms to 1s');
  const electionTimeout = readElectionTimeout(options, etcdElection.timeout);
  return electionTimeout >= 5 * heartbeat
    ? { heartbeat, electionTimeout }
    : refuse('--etcd-election-timeout', `${electionTimeout}ms`, `at least 5 times --etcd-heartbeat (${heartbeat}ms)`);
}

function readElectionTimeout({ etcdElectionTimeout }: EtcdOptions, otherwise: Duration): Duration {
  if (etcdElectionTimeout === undefined) return otherwise;
  const timeout = parseDuration(etcdElectionTimeout);
  return timeout !== undefined && Number.isInteger(timeout) && timeout >= 100 && timeout <= seconds(10)
    ? timeout
    : refuse('--etcd-election-timeout', etcdElectionTimeout, 'a duration of 100ms to 10s');
}

function readPeerAddress({ etcdPeerAddress, join }: EtcdOptions, advertise: Pick<IpPort, 'ip'>): string {
  if (etcdPeerAddress === undefined) return join === undefined ? '127.0.0.1' : advertise.ip;
  const ip = parseIp(etcdPeerAddress);
  if (!ip.ok || ip.value === '0.0.0.0' || ip.value === '::')
    return refuse('--etcd-peer-address', etcdPeerAddress, 'one IP address of this host');
  return ip.value;
}

function readExternal(options: EtcdOptions): EtcdConfig {
  const endpoints = options.etcd.split(',');
  const wrong = endpoints.find((endpoint) => !/^https?:\/\/[^/\s]+:\d{1,5}$/.test(endpoint));
  if (wrong !== undefined) refuse('--etcd', wrong, '"embedded", or client URLs such as https://192.0.2.1:2379');
  if (options.join !== undefined)
    refuse('--join', options.join, 'no value with an etcd of your own: name its members with --etcd');
  if (options.etcdPeerAddress !== undefined)
    refuse('--etcd-peer-address', options.etcdPeerAddress, 'no value with an etcd of your own');
  const secure = endpoints.filter((endpoint) => endpoint.startsWith('https:')).length;
  if (secure !== 0 && secure !== endpoints.length)
    refuse('--etcd', options.etcd, 'only https: URLs, or only http: URLs');
  const inTheClear = endpoints.find(
    (endpoint) => /^http:/.test(endpoint) && !/^http:\/\/(127\.0\.0\.1|\[::1\]):/.test(endpoint),
  );
  if (inTheClear !== undefined)
    refuse(
      '--etcd',
      inTheClear,
      'an https: URL: http: is for an etcd at 127.0.0.1 or [::1] only, because others would read and change all records',
    );
  for (const [flag, value] of tlsFlags(options))
    if (value !== undefined && secure === 0) refuse(flag, value, 'no value, or https: URLs in --etcd');
  if (options.etcdCert === undefined && options.etcdKey !== undefined)
    refuse('--etcd-cert', '', 'the certificate that --etcd-key belongs to');
  if (options.etcdKey === undefined && options.etcdCert !== undefined)
    refuse('--etcd-key', '', 'the key of --etcd-cert');
  if (options.etcdHeartbeat !== undefined)
    refuse(
      '--etcd-heartbeat',
      options.etcdHeartbeat,
      'no value with an etcd of your own: its members have their own setting',
    );
  const electionTimeout = readElectionTimeout(options, defaultElectionTimeout);
  const maxTxnOps = readTxnOps(options.etcdMaxTxnOps);
  const external = { kind: 'external', endpoints, maxTxnOps, electionTimeout } as const;
  return secure === 0 ? external : { ...external, tls: readTls(options) };
}

function readTls({ etcdCacert, etcdCert, etcdKey }: EtcdOptions): TlsFiles {
  return {
    ...(etcdCacert !== undefined && { caCert: etcdCacert }),
    ...(etcdCert !== undefined && { cert: etcdCert }),
    ...(etcdKey !== undefined && { key: etcdKey }),
  };
}

function tlsFlags({ etcdCacert, etcdCert, etcdKey }: EtcdOptions): readonly (readonly [string, string | undefined])[] {
  return [
    ['--etcd-cacert', etcdCacert],
    ['--etcd-cert', etcdCert],
    ['--etcd-key', etcdKey],
  ];
}

function readTxnOps(text: string | undefined): number {
  if (text === undefined) return defaultTxnOps;
  const count = /^\d{3,5}$/.test(text) ? Number(text) : 0;
  return count >= defaultTxnOps && count <= 10_000
    ? count
    : refuse('--etcd-max-txn-ops', text, 'a count of 128 to 10000');
}

const units = { MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

function readQuota(text: string): number {
  const match = /^(\d{1,6})(MiB|GiB)$/.exec(text);
  const bytes = match === null ? 0 : Number(match[1]) * units[match[2] as keyof typeof units];
  const fits = bytes >= 16 * units.MiB && bytes <= 8 * units.GiB;
  return fits ? bytes : refuse('--etcd-quota', text, 'a size of 16MiB to 8GiB, such as 2GiB');
}
