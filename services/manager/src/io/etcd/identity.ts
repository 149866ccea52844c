import { CausewayError, type ErrorCode, isCausewayError } from '@causeway/model';
import type { Log } from '@causeway/runtime';

/**
 * Which etcd cluster is ours: the cluster that this manager has used before, or the first one that answers. One day
 * another cluster may answer at a known address (a member that was founded anew, a restored backup, another program's
 * etcd). That cluster is never read, written or followed, and is logged once each time it turns up.
 */
export class StoreIdentity {
  readonly #log: Log;
  readonly #reported = new Set<string>();
  #own: bigint | undefined;

  /** `own`: the cluster id as in etcd's messages, a number of 64 bits. */
  constructor(log: Log, own?: bigint) {
    this.#log = log;
    this.#own = own;
  }

  /** Undefined: no etcd has answered yet. */
  get own(): bigint | undefined {
    return this.#own;
  }

  /** Why the etcd at that URL is not ours; undefined: it is ours. */
  check(cluster: bigint, url: string): CausewayError | undefined {
    this.#own ??= cluster;
    if (cluster === this.#own) {
      this.#reported.delete(url);
      return undefined;
    }
    const [own, other] = [formatCluster(this.#own), formatCluster(cluster)];
    const message = `the etcd at ${url} belongs to another etcd cluster (${other}, ours is ${own}): it is not used`;
    if (!this.#reported.has(url))
      this.#log.error('store.foreign', { code: mismatch, endpoint: url, etcdCluster: other, own, message });
    this.#reported.add(url);
    return new CausewayError('store-unavailable', message, { reason: mismatch, endpoint: url });
  }
}

const mismatch: ErrorCode = 'cluster-mismatch';

/** For the caller the store is unavailable at this member; the next member may be ours. */
export function isForeign(error: unknown): error is CausewayError {
  return isCausewayError(error, 'store-unavailable') && error.data['reason'] === mismatch;
}

/** Hexadecimal, as etcd itself prints it. */
export function formatCluster(cluster: bigint): string {
  return cluster.toString(16);
}
