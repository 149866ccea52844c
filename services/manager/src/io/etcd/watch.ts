import { messageOf } from '@causeway/model';
import { RangeRequest, WatchCreateRequest, type WatchResponse } from '@causeway/proto/gen/etcd/rpc.js';
import type { Clock, Duration } from '@causeway/runtime';
import { type ServiceError, status } from '@grpc/grpc-js';
import { prefixRange } from '../../store/range.ts';
import { revisionOf, type Step } from '../../store/store.ts';
import type { Break } from '../../store/stream-breaks.ts';
import { isCompacted, isServiceError } from './failure.ts';
import { type EtcdEndpoint, type EtcdPool, leaderRequired } from './pool.ts';
import { type StreamState, StuckStream, superviseStream } from './stream-supervision.ts';
import { eventFromWire } from './wire.ts';

/** A watch can no longer deliver what follows the delivered revision: list again. */
export class HistoryGone extends Error {}

/** A watch stream ended after etcd had accepted it. */
export class StreamBroken extends Error {
  readonly kind: Break;

  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
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
  /**
   * After this much silence on the stream the member is asked for its progress. After as much again it is asked whether
   * it is alive.
   */
  readonly progressInterval: Duration;
  readonly signal: AbortSignal;
}

/**
 * One watch stream, until it breaks, its history is gone or the signal aborts. Each of these throws: HistoryGone when the
 * history is gone; otherwise StreamBroken once etcd had accepted the stream.
 *
 * The stream starts after the delivered revision, so that a large revision is not sent twice for nothing. When history
 * has been compacted right up to the next revision, etcd before 3.5.18 accepts a watch from there, although it no longer
 * has that revision's deletions (see its changelog; Debian's 3.5.16 has this fault). So before the first step is
 * delivered, `checkKept` makes sure that the delivered revision can still be read: then nothing after it was compacted
 * when the step was made. Members that lag send old events, and so does etcd before 3.5.22 for a watch from a future
 * revision: these events are dropped. The revision of "created" is the store's, not the stream's, so it does not count as
 * delivered.
 */
export async function* watch(parts: WatchParts, endpoint: EtcdEndpoint, options: WatchOptions): AsyncGenerator<Step> {
  const { clock } = parts;
  const stream = endpoint.clients.watch.watch(leaderRequired(), {});
  const cancel = (): void => stream.cancel();
  // grpc-js emits the end of a cancelled call as an error, also when the stream is no longer read.
  stream.on('error', () => undefined);
  options.signal.addEventListener('abort', cancel);
  if (options.signal.aborted) cancel();
  const state: StreamState = { silentSince: clock.now(), delivered: options.after };
  const ended = new AbortController();
  let accepted = false;
  try {
    void superviseStream(parts, { endpoint, stream, state }, options.progressInterval, ended.signal);
    stream.write({ requestUnion: { oneofKind: 'createRequest', createRequest: createRequest(options) } });
    let last = options.after;
    let isWhole = false;
    for await (const response of stream as AsyncIterable<WatchResponse>) {
      state.silentSince = clock.now();
      endpoint.check(response);
      if (response.canceled) throw cancelled(response);
      const current = response.header?.revision ?? 0n;
      if (current < last)
        throw new HistoryGone(
          `the store is at revision ${current}, before the delivered revision ${last}: was it restored from a backup?`,
        );
      if (response.created) {
        accepted = true;
        continue;
      }
      state.silentSince = undefined;
      if (!isWhole) await checkKept(parts, endpoint, options);
      isWhole = true;
      const events = response.events.map(eventFromWire).filter((event) => revisionOf(event) > last);
      const newest = events.at(-1);
      if (response.events.length === 0) last = current;
      else if (newest !== undefined) last = revisionOf(newest);
      state.delivered = last;
      yield events.length > 0 ? { kind: 'events', revision: last, events } : { kind: 'progress', revision: last };
      state.silentSince = clock.now();
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
 * Does not ask for fragments. To cut a revision, etcd measures the growing fragment again for each event (sendFragments
 * in its watch.go); for 200,000 events this takes minutes, without a message on the stream. In one piece they are 20 MB
 * and take negligible time.
 */
function createRequest(options: WatchOptions): WatchCreateRequest {
  const { start, end } = prefixRange(options.prefix);
  const from = { key: start, rangeEnd: end, startRevision: options.after + 1n };
  return WatchCreateRequest.create({ ...from, progressNotify: true });
}

/** @throws HistoryGone when the delivered revision was compacted: revisions after it may have been compacted with it */
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

/**
 * False for a stream that was given up because of its silence, and for a stream that etcd or grpc refused to continue.
 */
function isConnectionLost(error: unknown): boolean {
  if (error instanceof StuckStream) return false;
  return !isServiceError(error) || lostCodes.has((error as ServiceError).code);
}

const lostCodes: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.CANCELLED, status.DEADLINE_EXCEEDED]);
