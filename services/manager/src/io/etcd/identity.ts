import { CausewayError, type ErrorCode, isCausewayError } from '@causeway/model';
import type { Log } from '@causeway/runtime';

/**
 * Which etcd cluster is ours: the one that this manager has used before, or the first one that answers. Another one may
 * stand at a known address one day (a member that was founded anew, a restored backup, another program's etcd): it is never
 * read, written or followed, and said to be there, once each time it turns up.
 */
export class StoreIdentity {
  readonly #log: Log;
  readonly #reported = new Set<string>();
  #own: bigint | undefined;

  /** `own`: as etcd's messages have it, a number of 64 bits. */
  constructor(log: Log, own?: bigint) {
    this.#log = log;
    this.#own = own;
  }

  /** Undefined: none has answered yet. */
  get own(): bigint | undefined {
    return this.#own;
  }

  /** Why the etcd at that URL is none of ours; undefined: it is. */
  check(cluster: bigint, url: string): CausewayError | undefined {
    this.#own ??= cluster;
    if (cluster === this.#own) {
      this.#reported.delete(url);
      return undefined;
    }
    const [own, other] = [formatCluster(this.#own), formatCluster(cluster)];
    const message = `the etcd at ${url} is of another etcd cluster (${other}, ours is ${own}): it is not used`;
    if (!this.#reported.has(url))
      this.#log.error('store.foreign', { code: mismatch, endpoint: url, etcdCluster: other, own, message });
    this.#reported.add(url);
    return new CausewayError('store-unavailable', message, { reason: mismatch, endpoint: url });
  }
}

const mismatch: ErrorCode = 'cluster-mismatch';

/** For the caller the store is not there; the next member may be. */
export function isForeign(error: unknown): error is CausewayError {
  return isCausewayError(error, 'store-unavailable') && error.data['reason'] === mismatch;
}

/** As etcd itself prints it. */
export function formatCluster(cluster: bigint): string {
  return cluster.toString(16);
}
