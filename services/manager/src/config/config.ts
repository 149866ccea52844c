import { type IpPort, parseName, unwrap } from '@causeway/model';
import {
  type Duration,
  type LogSettings,
  logFormats,
  logLevels,
  minutes,
  parseDuration,
  seconds,
} from '@causeway/runtime';
import { type DefaultPool, parsePool } from '../ipam/subnet-pools.ts';
import { defaultPrefix } from '../store/keys.ts';
import { type EtcdConfig, type EtcdOptions, etcdOptionSpecs, readEtcd, readHistory } from './etcd-config.ts';
import { type OptionSpec, readAddress, readProgram, refuse } from './option.ts';

/** Settings of a manager's process, as text. Precedence: flag > environment > default. */
export interface Options extends EtcdOptions {
  readonly name: string;
  readonly listen: string;
  readonly advertise?: string;
  readonly dataDir: string;
  readonly etcdPrefix: string;
  readonly leaseTtl: string;
  readonly cooldown: string;
  readonly nodeGoneAfter: string;
  readonly eventHistory: string;
  readonly eventLimit: string;
  readonly defaultPool?: string;
  readonly caProgram?: string;
  readonly logLevel: string;
  readonly logFormat: string;
}

export interface ManagerConfig {
  readonly name: string;
  readonly listen: string;
  readonly advertise: string;
  readonly dataDir: string;
  readonly etcd: EtcdConfig;
  /** How much of the store's past is kept; 0: the managers do not compact the store. */
  readonly history: Duration;
  readonly prefix: string;
  readonly leaseTtl: Duration;
  readonly cooldown: Duration;
  readonly nodeGoneAfter: Duration;
  readonly eventHistory: Duration;
  readonly eventLimit: number;
  readonly defaultPools: readonly DefaultPool[];
  /** Path of the program that issues certificates; absent: the cluster has the key of its CA. */
  readonly caProgram?: string;
  readonly log: LogSettings;
}

export const optionSpecs: readonly OptionSpec[] = [
  { flag: '--name <name>', variable: 'CAUSEWAY_NAME', help: 'name of this manager, unique in the cluster' },
  { flag: '--listen <ip:port>', variable: 'CAUSEWAY_LISTEN', help: 'address to serve gRPC at, such as 0.0.0.0:7443' },
  {
    flag: '--advertise <ip:port>',
    variable: 'CAUSEWAY_ADVERTISE',
    help: 'address at which agents and other managers reach this manager; when absent, the address of --listen, which must then be a single address',
    optional: true,
  },
  {
    flag: '--data-dir <dir>',
    variable: 'CAUSEWAY_DATA_DIR',
    help: 'where the manager and its embedded etcd keep their data',
  },
  ...etcdOptionSpecs,
  {
    flag: '--etcd-prefix <prefix>',
    variable: 'CAUSEWAY_ETCD_PREFIX',
    help: 'prefix of all keys in etcd; the same for all managers of a cluster',
    default: defaultPrefix,
  },
  {
    flag: '--lease-ttl <duration>',
    variable: 'CAUSEWAY_LEASE_TTL',
    help: "time to live of the leader's lease: after a leader hangs or is cut off, another manager leads when this time has passed",
    default: '3s',
  },
  {
    flag: '--cooldown <duration>',
    variable: 'CAUSEWAY_COOLDOWN',
    help: 'how long a freed address or VNI stays unused while a host that may still have it does not answer',
    default: '60s',
  },
  {
    flag: '--node-gone-after <duration>',
    variable: 'CAUSEWAY_NODE_GONE_AFTER',
    help: 'release the endpoints of a host after it has been silent for this long; 0: never',
    default: '24h',
  },
  {
    flag: '--event-history <duration>',
    variable: 'CAUSEWAY_EVENT_HISTORY',
    help: 'how long events are kept',
    default: '24h',
  },
  {
    flag: '--event-limit <number>',
    variable: 'CAUSEWAY_EVENT_LIMIT',
    help: 'how many events are kept at most; each takes about 400 bytes in etcd',
    default: '200000',
  },
  {
    flag: '--default-pool <prefix:length,…>',
    variable: 'CAUSEWAY_DEFAULT_POOL',
    help: 'pools for networks that are created without --subnet, and the length of a subnet; a family without a pool here uses 10.0.0.0/8:20, or /64 of the cluster’s own ULA (RFC 4193)',
    optional: true,
  },
  {
    flag: '--ca-program <path>',
    variable: 'CAUSEWAY_CA_PROGRAM',
    help: 'program that issues the certificates of a cluster that was founded with --ca-program; when absent, the cluster has the key of its CA',
    optional: true,
  },
  {
    flag: '--log-level <level>',
    variable: 'CAUSEWAY_LOG_LEVEL',
    help: 'error, warn, info or debug',
    default: 'info',
  },
  {
    flag: '--log-format <format>',
    variable: 'CAUSEWAY_LOG_FORMAT',
    help: 'json for programs, text for people',
    default: 'json',
  },
];

/**
 * A shorter lease may end while the store is only busy. A longer lease leaves the cluster without a leader for longer,
 * for no gain.
 */
const shortestTtl = seconds(2);
const longestTtl = seconds(60);

/**
 * A host's rows are marked after this much silence. The host cannot be gone before that. Some time for a restart is
 * included.
 */
const shortestGone = seconds(10);

/** @throws CausewayError that names the flag and what would be right */
export function readConfig(options: Options): ManagerConfig {
  const name = parseName(options.name, '--name');
  if (!name.ok) throw name.error;
  const listen = readAddress(options.listen, '--listen');
  const advertise = readAdvertise(options.advertise, listen);
  const leaseTtl = readTtl(options.leaseTtl);
  return {
    name: name.value,
    listen: listen.text,
    advertise: advertise.text,
    dataDir: options.dataDir === '' ? refuse('--data-dir', '', 'a directory') : options.dataDir,
    etcd: readEtcd(options, advertise),
    history: readHistory(options.etcdHistory),
    prefix: readPrefix(options.etcdPrefix),
    leaseTtl,
    cooldown: readCooldown(options.cooldown),
    nodeGoneAfter: readNodeGoneAfter(options.nodeGoneAfter, leaseTtl),
    eventHistory: readEventHistory(options.eventHistory),
    eventLimit: readEventLimit(options.eventLimit),
    defaultPools: (options.defaultPool?.split(',') ?? []).map((text) => unwrap(parsePool(text))),
    ...(options.caProgram !== undefined && { caProgram: readProgram(options.caProgram) }),
    log: {
      level: readChoice(options.logLevel, '--log-level', logLevels),
      format: readChoice(options.logFormat, '--log-format', logFormats),
    },
  };
}

function readChoice<Choice extends string>(text: string, flag: string, choices: readonly Choice[]): Choice {
  return choices.find((choice) => choice === text) ?? refuse(flag, text, `one of ${choices.join(', ')}`);
}

function readAdvertise(text: string | undefined, listen: IpPort): IpPort {
  if (text === undefined && !listen.isWildcard) return listen;
  const expected = `an address at which other hosts reach this manager, because --listen ${listen.text} means every address`;
  if (text === undefined) return refuse('--advertise', '', expected);
  const advertise = readAddress(text, '--advertise');
  return advertise.isWildcard ? refuse('--advertise', text, 'one address of this host') : advertise;
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

function readEventHistory(text: string): Duration {
  const history = parseDuration(text);
  return history !== undefined && history >= minutes(1)
    ? history
    : refuse('--event-history', text, 'a duration of 1m or more, such as 24h');
}

/** At 400 bytes for each event, the largest limit is 400 MB. */
function readEventLimit(text: string): number {
  const limit = Number(text);
  return /^\d+$/.test(text) && limit >= 1_000 && limit <= 1_000_000
    ? limit
    : refuse('--event-limit', text, 'a number of 1000 to 1000000');
}

function readCooldown(text: string): Duration {
  return parseDuration(text) ?? refuse('--cooldown', text, 'a duration such as 60s');
}

/**
 * At least the leader's lease: a leader that was wrongly taken for gone keeps its hosts for most of its lease, and
 * meanwhile the next leader has no session with them.
 */
function readNodeGoneAfter(text: string, leaseTtl: Duration): Duration {
  const shortest = Math.max(shortestGone, leaseTtl);
  const span = text === '0' ? seconds(0) : parseDuration(text);
  return span !== undefined && (span === 0 || span >= shortest)
    ? span
    : refuse('--node-gone-after', text, 'a duration of at least 10s and --lease-ttl, such as 24h, or 0 for never');
}
