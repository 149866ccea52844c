import { type Backoff, type Clock, type Duration, delays, type Log, type Random } from '@causeway/runtime';
import { keyText } from '../../store/range.ts';
import type { Change } from '../../store/store.ts';
import { isCompacted } from './failure.ts';
import { type Listing, listPrefix } from './listing.ts';
import type { EtcdEndpoint, EtcdPool } from './pool.ts';
import { HistoryGone, type WatchBatch, watch } from './watch.ts';
import { keyValueFromWire } from './wire.ts';

export interface FollowParts {
  readonly pool: EtcdPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface FollowSettings {
  readonly pageSize: number;
  readonly progressInterval: Duration;
  /** How often what was delivered is compared with the store. */
  readonly auditInterval: Duration;
  readonly backoff: Backoff;
}

/** List at R, watch from R on, resume from what was delivered; list again when that history is gone or an audit fails. */
export async function* follow(
  parts: FollowParts,
  settings: FollowSettings,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<Change> {
  const { pool, clock, log } = parts;
  const delivered = new Delivered();
  let pauses = delays(settings.backoff, parts.random);
  let auditAt = 0;
  while (!signal.aborted) {
    let endpoint: EtcdEndpoint | undefined;
    try {
      if (delivered.revision === undefined) {
        const listing = await listPrefix(pool, prefix, { pageSize: settings.pageSize, signal });
        delivered.reset(listing);
        auditAt = clock.now() + settings.auditInterval;
        yield { kind: 'snapshot', revision: listing.revision, kvs: listing.kvs.map(keyValueFromWire) };
        continue;
      }
      endpoint = await pool.ready(pool.bounds(signal));
      const { progressInterval } = settings;
      for await (const batch of watch(clock, endpoint, {
        prefix,
        after: delivered.revision,
        progressInterval,
        signal,
      })) {
        pauses = delays(settings.backoff, parts.random);
        const change = delivered.take(batch);
        if (change !== undefined) yield change;
        if (clock.now() < auditAt) continue;
        auditAt = clock.now() + settings.auditInterval;
        if (await audit(pool, settings, prefix, delivered, signal)) continue;
        log.warn('store-follow-differs', { prefix, revision: delivered.revision });
        delivered.forget();
        break;
      }
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof HistoryGone) {
        log.info('store-history-gone', { prefix, revision: delivered.revision, reason });
        delivered.forget();
      } else {
        log.warn('store-follow-broken', { prefix, endpoint: endpoint?.url, reason });
        if (endpoint !== undefined) pool.pass(endpoint);
        await clock.sleep(pauses.next().value, signal);
      }
    }
  }
}

/**
 * Does the store at the delivered revision hold precisely what was delivered? The past does not change, so this has no
 * race with what goes on, costs keys only, and finds an event that a server lost (etcd 3.5.16 has such bugs).
 */
async function audit(
  pool: EtcdPool,
  { pageSize }: FollowSettings,
  prefix: string,
  delivered: Delivered,
  signal: AbortSignal,
): Promise<boolean> {
  const { revision } = delivered;
  if (revision === undefined) return true;
  try {
    return delivered.equals(await listPrefix(pool, prefix, { pageSize, revision, keysOnly: true, signal }));
  } catch (error) {
    // A store that was quiet for longer than its history is kept: nothing to compare with, the next revision will do.
    if (isCompacted(error)) return true;
    throw error;
  }
}

/** What the follower has been told: each key's revision, and up to where. */
class Delivered {
  #revision: bigint | undefined;
  readonly #keys = new Map<string, bigint>();

  get revision(): bigint | undefined {
    return this.#revision;
  }

  forget(): void {
    this.#revision = undefined;
  }

  reset(listing: Listing): void {
    this.#keys.clear();
    for (const kv of listing.kvs) this.#keys.set(keyText(kv.key), BigInt(kv.mod_revision));
    this.#revision = listing.revision;
  }

  /** The change to tell; undefined when the batch brings nothing new. */
  take({ events, revision }: WatchBatch): Change | undefined {
    for (const event of events) {
      if (event.kind === 'put') this.#keys.set(event.kv.key, event.kv.modRevision);
      else this.#keys.delete(event.key);
    }
    const advanced = revision !== this.#revision;
    this.#revision = revision;
    if (events.length > 0) return { kind: 'events', revision, events };
    return advanced ? { kind: 'progress', revision } : undefined;
  }

  equals(listing: Listing): boolean {
    if (listing.kvs.length !== this.#keys.size) return false;
    return listing.kvs.every((kv) => this.#keys.get(keyText(kv.key)) === BigInt(kv.mod_revision));
  }
}
