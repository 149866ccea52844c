import { RangeRequest, WatchCreateRequest, type WatchResponse } from '@causeway/proto/gen/etcd/rpc.js';
import type { Clock, Duration } from '@causeway/runtime';
import { type ServiceError, status } from '@grpc/grpc-js';
import type { Break } from '../../store/obstacle.ts';
import { prefixRange } from '../../store/range.ts';
import { revisionOf, type Step } from '../../store/store.ts';
import { isCompacted, isServiceError } from './failure.ts';
import { type EtcdEndpoint, type EtcdPool, leaderRequired } from './pool.ts';
import { attend, type Silence, StuckStream } from './silence.ts';
import { eventFromWire } from './wire.ts';

/** What comes after the delivered revision cannot be had by watching: list again. */
export class HistoryGone extends Error {}

/** A stream that was accepted has ended. */
export class StreamBroken extends Error {
  readonly kind: Break;

  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.kind = isConnectionLost(cause) ? 'lost' : 'stuck';
  }
}

interface WatchParts {
  readonly clock: Clock;
  readonly pool: Pick<EtcdPool, 'call' | 'bounds'>;
}

interface WatchOptions {
  readonly prefix: string;
  /** The last revision that was delivered. */
  readonly after: bigint;
  /** After so long without a word the member is asked for its progress; after as long again it is asked whether it lives. */
  readonly progressInterval: Duration;
  readonly signal: AbortSignal;
}

/**
 * One watch stream, until it breaks (throws; StreamBroken once it was accepted), its history is gone (HistoryGone) or the
 * signal aborts (throws).
 *
 * It starts behind the delivered revision, so that a large one is not sent again for nothing. When history has been
 * compacted right up to the next revision, etcd before 3.5.18 accepts a watch there and no longer has that revision's
 * deletions (its changelog; Debian's 3.5.16 has this fault). So before the first step is delivered it is made sure that the
 * delivered revision can still be read: then nothing after it was compacted when the step was made. Members that lag, and
 * watches from a future revision of etcd before 3.5.22, bring old events: they are dropped. "created" moves nothing: its
 * revision is the store's, not ours.
 */
export async function* watch(parts: WatchParts, endpoint: EtcdEndpoint, options: WatchOptions): AsyncGenerator<Step> {
  const { clock } = parts;
  const stream = endpoint.clients.watch.watch(leaderRequired(), {});
  const cancel = (): void => stream.cancel();
  // grpc-js emits the end of a cancelled call as an error, also when nobody reads any more.
  stream.on('error', () => undefined);
  options.signal.addEventListener('abort', cancel);
  if (options.signal.aborted) cancel();
  const silence: Silence = { since: clock.now(), delivered: options.after };
  const ended = new AbortController();
  let accepted = false;
  try {
    void attend(parts, { endpoint, stream, silence }, options.progressInterval, ended.signal);
    stream.write({ requestUnion: { oneofKind: 'createRequest', createRequest: createRequest(options) } });
    let last = options.after;
    let isWhole = false;
    for await (const response of stream as AsyncIterable<WatchResponse>) {
      silence.since = clock.now();
      endpoint.check(response);
      if (response.canceled) throw cancelled(response);
      const current = response.header?.revision ?? 0n;
      if (current < last)
        throw new HistoryGone(`store at revision ${current}, delivered was ${last}: restored from a backup?`);
      if (response.created) {
        accepted = true;
        continue;
      }
      silence.since = undefined;
      if (!isWhole) await checkKept(parts, endpoint, options);
      isWhole = true;
      const events = response.events.map(eventFromWire).filter((event) => revisionOf(event) > last);
      const newest = events.at(-1);
      if (response.events.length === 0) last = current;
      else if (newest !== undefined) last = revisionOf(newest);
      silence.delivered = last;
      yield events.length > 0 ? { kind: 'events', revision: last, events } : { kind: 'progress', revision: last };
      silence.since = clock.now();
    }
    throw new Error('etcd ended the watch stream');
  } catch (error) {
    throw accepted && !(error instanceof HistoryGone) ? new StreamBroken(error) : error;
  } finally {
    ended.abort();
    options.signal.removeEventListener('abort', cancel);
    cancel();
  }
}

/**
 * A revision is not sent in fragments: to cut one, etcd measures the growing fragment anew for each event (sendFragments of
 * its watch.go), which takes minutes of silence for 200,000 events. Whole they are 20 MB and take no time worth mentioning.
 */
function createRequest(options: WatchOptions): WatchCreateRequest {
  const { start, end } = prefixRange(options.prefix);
  const from = { key: start, rangeEnd: end, startRevision: options.after + 1n };
  return WatchCreateRequest.create({ ...from, progressNotify: true });
}

/** @throws HistoryGone when the delivered revision was compacted, and with it perhaps some of what comes after it */
async function checkKept({ pool }: WatchParts, endpoint: EtcdEndpoint, options: WatchOptions): Promise<void> {
  const { kv } = endpoint.clients;
  const { start } = prefixRange(options.prefix);
  const request = RangeRequest.create({ key: start, revision: options.after, keysOnly: true });
  try {
    await pool.call(kv.range.bind(kv), request, pool.bounds(options.signal, options.progressInterval));
  } catch (error) {
    throw isCompacted(error) ? new HistoryGone(`revision ${options.after} was compacted`) : error;
  }
}

function cancelled(response: WatchResponse): Error {
  if (response.compactRevision !== 0n) return new HistoryGone(`compacted up to revision ${response.compactRevision}`);
  return new Error(`etcd cancelled the watch: ${response.cancelReason}`);
}

/** As against a stream that is given up in silence, or that etcd or grpc refuses to go on with. */
function isConnectionLost(error: unknown): boolean {
  if (error instanceof StuckStream) return false;
  return !isServiceError(error) || lostCodes.has((error as ServiceError).code);
}

const lostCodes: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.CANCELLED, status.DEADLINE_EXCEEDED]);
