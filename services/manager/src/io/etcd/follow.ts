import { messageOf } from '@causeway/model';
import { plainWords } from '@causeway/proto';
import { type Backoff, type Clock, type Duration, delays, type Log, type Random } from '@causeway/runtime';
import type { Change, Step } from '../../store/store.ts';
import { type Break, cannotBeDelivered } from '../../store/stream-breaks.ts';
import { isCompacted } from './failure.ts';
import { type Listing, listPrefix } from './listing.ts';
import type { EtcdEndpoint, EtcdPool } from './pool.ts';
import { HistoryGone, StreamBroken, watch } from './watch.ts';

/**
 * Number of reasons that are remembered: more than the members of a cluster have, and few enough for reasons of any
 * length.
 */
const mostReasons = 64;

interface FollowParts {
  readonly pool: EtcdPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface FollowSettings {
  readonly pageSize: number;
  readonly progressInterval: Duration;
  /** How often the delivered state is compared with the store. */
  readonly auditInterval: Duration;
  readonly backoff: Backoff;
}

/**
 * Lists at revision R, watches from R on, and resumes after what was delivered. Lists again when that history is gone or
 * an audit fails.
 */
export async function* follow(
  parts: FollowParts,
  settings: FollowSettings,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<Change> {
  const { clock, log } = parts;
  while (!signal.aborted) {
    const listing = await list(parts, settings, prefix, signal);
    if (listing === undefined) return;
    const delivered = new Delivered(listing);
    let auditAt = clock.now() + settings.auditInterval;
    yield { kind: 'snapshot', revision: listing.revision, kvs: listing.kvs };
    for await (const step of resume(parts, settings, { prefix, after: listing.revision }, signal)) {
      const advanced = step.revision !== delivered.revision;
      delivered.take(step);
      if (step.kind === 'events' || advanced) yield step;
      if (clock.now() < auditAt) continue;
      auditAt = clock.now() + settings.auditInterval;
      if (await audit(parts, settings, { prefix, delivered }, signal)) continue;
      log.warn('store.follow-differs', { prefix, revision: delivered.revision });
      break;
    }
  }
}

/**
 * Watches on after the delivered revision, however often the stream breaks. Ends when that history is gone, when no
 * stream gets past the next revision, or when the signal aborts.
 */
export async function* resume(
  parts: FollowParts,
  { backoff, progressInterval }: Pick<FollowSettings, 'backoff' | 'progressInterval'>,
  { prefix, after }: { readonly prefix: string; readonly after: bigint },
  signal: AbortSignal,
): AsyncGenerator<Step> {
  const { pool, clock, random, log } = parts;
  let delivered = after;
  let pauses = delays(backoff, random);
  let breaks: readonly Break[] = [];
  const outage = new OutageLog(log, prefix);
  while (!signal.aborted) {
    let endpoint: EtcdEndpoint | undefined;
    try {
      endpoint = await pool.ready(pool.bounds(signal));
      for await (const step of watch(parts, endpoint, { prefix, after: delivered, progressInterval, signal })) {
        pauses = delays(backoff, random);
        breaks = [];
        outage.over();
        delivered = step.revision;
        yield step;
      }
    } catch (error) {
      if (signal.aborted) return;
      const reason = messageOf(error);
      if (error instanceof HistoryGone) {
        log.info('store.history-gone', { prefix, revision: delivered, reason });
        return;
      }
      outage.say(reason, endpoint?.url);
      if (error instanceof StreamBroken) breaks = [...breaks, error.kind];
      if (cannotBeDelivered(breaks)) {
        log.warn('store.revision-skipped', { prefix, revision: delivered });
        return;
      }
      if (endpoint !== undefined) pool.pass(endpoint);
      await clock.sleep(pauses.next().value, signal);
    }
  }
}

/** Warns once for each reason of an outage: a store that is tried for hours would fill the log with the same line. */
class OutageLog {
  readonly #log: Log;
  readonly #prefix: string;
  /** Reasons with the member's URL, because each member may have a reason of its own. */
  readonly #said = new Set<string>();

  constructor(log: Log, prefix: string) {
    this.#log = log;
    this.#prefix = prefix;
  }

  say(words: string, endpoint?: string): void {
    const reason = plainWords(words);
    const key = `${endpoint} ${reason}`;
    const level = this.#said.has(key) ? 'debug' : 'warn';
    this.#log[level]('store.follow-broken', { prefix: this.#prefix, endpoint, reason });
    if (this.#said.size >= mostReasons) this.#said.clear();
    this.#said.add(key);
  }

  over(): void {
    this.#said.clear();
  }
}

/** Lists everything as soon as the store answers; undefined when the signal aborts first. */
async function list(
  { pool, clock, random, log }: FollowParts,
  { pageSize, backoff }: FollowSettings,
  prefix: string,
  signal: AbortSignal,
): Promise<Listing | undefined> {
  const outage = new OutageLog(log, prefix);
  for (const pause of delays(backoff, random)) {
    try {
      return await listPrefix(pool, prefix, { pageSize, signal });
    } catch (error) {
      if (signal.aborted) return undefined;
      outage.say(messageOf(error));
      await clock.sleep(pause, signal);
    }
  }
  return undefined;
}

/**
 * Whether the store at the delivered revision holds exactly what was delivered. The past does not change, so writes that
 * go on meanwhile do not disturb the comparison. The audit reads keys only, and finds an event that a server lost (etcd
 * 3.5.16 has such bugs).
 */
async function audit(
  { pool, log }: FollowParts,
  { pageSize }: FollowSettings,
  { prefix, delivered }: { readonly prefix: string; readonly delivered: Delivered },
  signal: AbortSignal,
): Promise<boolean> {
  const { revision } = delivered;
  try {
    return delivered.equals(await listPrefix(pool, prefix, { pageSize, revision, keysOnly: true, signal }));
  } catch (error) {
    // Nothing to compare with: the store was quiet for longer than its history is kept, or does not answer. The next
    // audit will do.
    if (!isCompacted(error) && !signal.aborted) log.warn('store.audit-failed', { prefix, reason: String(error) });
    return true;
  }
}

/** What was delivered to the follower: the revision of each key, and the last revision. */
class Delivered {
  #revision: bigint;
  readonly #keys = new Map<string, bigint>();

  constructor(listing: Listing) {
    for (const kv of listing.kvs) this.#keys.set(kv.key, kv.modRevision);
    this.#revision = listing.revision;
  }

  get revision(): bigint {
    return this.#revision;
  }

  take(step: Step): void {
    for (const event of step.kind === 'events' ? step.events : []) {
      if (event.kind === 'put') this.#keys.set(event.kv.key, event.kv.modRevision);
      else this.#keys.delete(event.key);
    }
    this.#revision = step.revision;
  }

  equals(listing: Listing): boolean {
    if (listing.kvs.length !== this.#keys.size) return false;
    return listing.kvs.every((kv) => this.#keys.get(kv.key) === kv.modRevision);
  }
}
