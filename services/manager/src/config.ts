import { CausewayError, clip, type Family, family, parseIp, parseName } from '@causeway/model';
import { type Duration, parseDuration, seconds } from '@causeway/runtime';
import { defaultPrefix } from './store/keys.ts';

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Everything a manager's process is told, as text: from flags, else the environment, else the default. */
export interface Options {
  readonly name: string;
  readonly listen: string;
  readonly advertise?: string;
  readonly dataDir: string;
  readonly etcd: string;
  readonly etcdClientPort: string;
  readonly etcdPeerPort: string;
  readonly etcdPrefix: string;
  readonly leaseTtl: string;
  readonly logLevel: string;
}

export type EtcdConfig =
  /** A child of ours, on this host only. */
  | { readonly kind: 'embedded'; readonly clientPort: number; readonly peerPort: number }
  /** Somebody else's, by client URL of its members. */
  | { readonly kind: 'external'; readonly endpoints: readonly string[] };

export interface ManagerConfig {
  readonly name: string;
  readonly listen: string;
  readonly advertise: string;
  readonly dataDir: string;
  readonly etcd: EtcdConfig;
  readonly prefix: string;
  readonly leaseTtl: Duration;
  readonly logLevel: LogLevel;
}

/** name, flag, variable, default and help of each option: the one table that the command line is made of. */
export interface OptionSpec {
  readonly flag: string;
  readonly variable: string;
  readonly help: string;
  readonly default?: string;
  readonly optional?: true;
}

export const optionSpecs: readonly OptionSpec[] = [
  { flag: '--name <name>', variable: 'CAUSEWAY_NAME', help: 'of this manager, unique in the cluster' },
  { flag: '--listen <ip:port>', variable: 'CAUSEWAY_LISTEN', help: 'where to serve gRPC, such as 0.0.0.0:7443' },
  {
    flag: '--advertise <ip:port>',
    variable: 'CAUSEWAY_ADVERTISE',
    help: 'where agents and other managers reach it; as --listen unless that is every address',
    optional: true,
  },
  { flag: '--data-dir <dir>', variable: 'CAUSEWAY_DATA_DIR', help: 'where the embedded etcd keeps its data' },
  {
    flag: '--etcd <embedded|url,…>',
    variable: 'CAUSEWAY_ETCD',
    help: 'run an etcd of its own, or the client URLs of one that runs',
    default: 'embedded',
  },
  {
    flag: '--etcd-client-port <port>',
    variable: 'CAUSEWAY_ETCD_CLIENT_PORT',
    help: 'of the embedded etcd, on 127.0.0.1',
    default: '2379',
  },
  {
    flag: '--etcd-peer-port <port>',
    variable: 'CAUSEWAY_ETCD_PEER_PORT',
    help: 'of the embedded etcd, on 127.0.0.1',
    default: '2380',
  },
  {
    flag: '--etcd-prefix <prefix>',
    variable: 'CAUSEWAY_ETCD_PREFIX',
    help: 'of all keys; managers of one cluster have the same',
    default: defaultPrefix,
  },
  {
    flag: '--lease-ttl <duration>',
    variable: 'CAUSEWAY_LEASE_TTL',
    help: 'how long the cluster is without leader after one died',
    default: '3s',
  },
  {
    flag: '--log-level <level>',
    variable: 'CAUSEWAY_LOG_LEVEL',
    help: 'error, warn, info or debug',
    default: 'info',
  },
];

/** A shorter lease ends while a busy store is merely slow; a longer one leaves the cluster without leader for no gain. */
const shortestTtl = seconds(2);
const longestTtl = seconds(60);

const levels: readonly string[] = ['error', 'warn', 'info', 'debug'];

/** @throws CausewayError that names the flag and what would be right */
export function readConfig(options: Options): ManagerConfig {
  const name = parseName(options.name, '--name');
  if (!name.ok) throw name.error;
  const listen = readAddress(options.listen, '--listen');
  return {
    name: name.value,
    listen: listen.text,
    advertise: readAdvertise(options.advertise, listen),
    dataDir: options.dataDir === '' ? refuse('--data-dir', '', 'a directory') : options.dataDir,
    etcd: readEtcd(options),
    prefix: readPrefix(options.etcdPrefix),
    leaseTtl: readTtl(options.leaseTtl),
    logLevel: levels.includes(options.logLevel)
      ? (options.logLevel as LogLevel)
      : refuse('--log-level', options.logLevel, `one of ${levels.join(', ')}`),
  };
}

interface Address {
  /** As gRPC and people write it; IPv6 in brackets. */
  readonly text: string;
  readonly isWildcard: boolean;
  readonly family: Family;
  readonly port: number;
}

function readAddress(text: string, flag: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const ip = parseIp(match?.[1] ?? match?.[2] ?? '');
  const port = Number(match?.[3]);
  if (!ip.ok || (match?.[1] !== undefined) !== ip.value.includes(':') || port < 1 || port > 65_535)
    return refuse(flag, text, 'IP:PORT, such as 192.0.2.1:7443 or [2001:db8::1]:7443');
  const host = family(ip.value) === 6 ? `[${ip.value}]` : ip.value;
  const isWildcard = ip.value === '0.0.0.0' || ip.value === '::';
  return { text: `${host}:${port}`, isWildcard, family: family(ip.value), port };
}

function readAdvertise(text: string | undefined, listen: Address): string {
  if (text === undefined && !listen.isWildcard) return listen.text;
  const expected = `an address at which other hosts reach this manager, since --listen ${listen.text} is every address`;
  if (text === undefined) return refuse('--advertise', '', expected);
  const advertise = readAddress(text, '--advertise');
  return advertise.isWildcard ? refuse('--advertise', text, 'one address of this host') : advertise.text;
}

function readEtcd(options: Options): EtcdConfig {
  if (options.etcd === 'embedded') {
    const clientPort = readPort(options.etcdClientPort, '--etcd-client-port');
    const peerPort = readPort(options.etcdPeerPort, '--etcd-peer-port');
    if (clientPort === peerPort) refuse('--etcd-peer-port', options.etcdPeerPort, 'another than --etcd-client-port');
    return { kind: 'embedded', clientPort, peerPort };
  }
  const endpoints = options.etcd.split(',');
  const wrong = endpoints.find((endpoint) => !/^https?:\/\/[^/\s]+:\d{1,5}$/.test(endpoint));
  if (wrong !== undefined) refuse('--etcd', wrong, '"embedded", or client URLs such as http://192.0.2.1:2379');
  return { kind: 'external', endpoints };
}

function readPort(text: string, flag: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : refuse(flag, text, 'a port, 1 to 65535');
}

function readPrefix(text: string): string {
  return /^\/[\x21-\x7e]*\/$|^\/$/.test(text)
    ? text
    : refuse('--etcd-prefix', text, 'text that begins and ends with "/"');
}

function readTtl(text: string): Duration {
  const ttl = parseDuration(text);
  return ttl !== undefined && ttl >= shortestTtl && ttl <= longestTtl
    ? ttl
    : refuse('--lease-ttl', text, 'a duration of 2s to 60s');
}

function refuse(flag: string, value: string, expected: string): never {
  const given = value === '' ? 'is missing' : `"${clip(value)}" is not valid`;
  throw new CausewayError('invalid-argument', `${flag} ${given}: expected ${expected}`, {
    field: flag,
    value: clip(value),
  });
}
