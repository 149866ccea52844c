import type { ClusterId, FeedVersion } from '@causeway/model';
import { type Duration, milliseconds, minutes, seconds } from '@causeway/runtime';
import type { Founding } from './cluster/bootstrap.ts';
import { schema } from './cluster/schema.ts';
import type { FanOutPause } from './feed/fan-out.ts';
import type { DefaultPool } from './ipam/subnet-pools.ts';

export interface ManagerSettings {
  readonly name: string;
  /** Id of this process, which tells it from another process with the same name; absent: answers contain no id. */
  readonly instance?: string;
  /** Host:port at which agents, operators and other managers reach this manager's gRPC service. */
  readonly advertise: string;
  /** Time to live of the leader's lease. */
  readonly leaseTtl: Duration;
  /** Prefix of all keys in the store, with "/" at its end. */
  readonly prefix: string;
  /** How long the managers wait for hosts without a session before a freed address is given again; absent: a minute. */
  readonly cooldown?: Duration;
  /** How long a host may be silent before its endpoints are released; 0: forever; absent: a day. */
  readonly nodeGoneAfter?: Duration;
  /** How long events are kept; absent: a day. */
  readonly eventHistory?: Duration;
  /** How many events are kept at most; absent: 200,000. */
  readonly eventLimit?: number;
  /**
   * Pools for subnets that no request names. A family without a pool uses 10.0.0.0/8 in parts of /20, or the cluster's
   * ULA in parts of /64.
   */
  readonly defaultPools?: readonly DefaultPool[];
  /** The cluster that the manager belongs to; absent: the cluster in the store. */
  readonly clusterId?: ClusterId;
  /** The cluster that the manager founds if the store is empty; absent: a cluster without a CA. */
  readonly founding?: Founding;
  /** The newest schema of records that the manager knows; absent: this version's. */
  readonly schema?: number;
  /** The feed versions that the manager speaks to agents, from the oldest; absent: this version's. */
  readonly feeds?: readonly FeedVersion[];
  /** Pause after a network's changes went to its hosts; absent: by the number of hosts. */
  readonly fanOutPause?: FanOutPause;
  /** How much of the store's history the manager keeps, ms; absent or 0: something else compacts the store. */
  readonly history?: Duration;
}

const defaults = {
  cooldown: seconds(60),
  nodeGoneAfter: minutes(24 * 60),
  eventHistory: minutes(24 * 60),
  eventLimit: 200_000,
  defaultPools: [],
  schema,
  history: milliseconds(0),
} satisfies Partial<ManagerSettings>;

export type CompleteSettings = ManagerSettings & Required<Pick<ManagerSettings, keyof typeof defaults>>;

export function withDefaults(settings: ManagerSettings): CompleteSettings {
  return { ...defaults, ...settings };
}
