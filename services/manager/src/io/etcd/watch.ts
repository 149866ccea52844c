import { type Clock, type Duration, milliseconds } from '@causeway/runtime';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { IWatchRequest } from 'etcd3';
import { prefixRange } from '../../store/range.ts';
import { revisionOf, type Step, type StoreEvent } from '../../store/store.ts';
import { type EtcdEndpoint, leaderRequired } from './pool.ts';
import type { WatchReply } from './wire.ts';

/** What comes after the delivered revision cannot be had by watching: list again. */
export class HistoryGone extends Error {}

export interface WatchOptions {
  readonly prefix: string;
  /** The last revision that was delivered. */
  readonly after: bigint;
  /** After so long without a word the member is asked for its progress; after as long again the stream counts as dead. */
  readonly progressInterval: Duration;
  readonly signal: AbortSignal;
}

/**
 * One watch stream, until it breaks (throws), its history is gone (HistoryGone) or the signal aborts (throws).
 *
 * It starts at the delivered revision, not at the one after it, and drops what was delivered already. When history has been
 * compacted right up to the next revision, etcd before 3.5.18 may accept a watch there and no longer have that revision's
 * deletions (its changelog; Debian's 3.5.16 has them); one revision earlier it refuses. Members that lag, and watches from a
 * future revision of etcd before 3.5.22, bring old events: the same filter drops them. The price is that etcd treats the
 * stream as one that has to catch up, once, within 100 ms. "created" moves nothing: its revision is the store's, not ours.
 */
export async function* watch(clock: Clock, endpoint: EtcdEndpoint, options: WatchOptions): AsyncGenerator<Step> {
  const stream = endpoint.clients.watch.watch(leaderRequired(), {});
  const cancel = (): void => stream.cancel();
  // grpc-js emits the end of a cancelled call as an error, also when nobody reads any more.
  stream.on('error', () => undefined);
  options.signal.addEventListener('abort', cancel);
  if (options.signal.aborted) cancel();
  const silence: Silence = { since: clock.now() };
  const ended = new AbortController();
  void attend(stream, silence, clock, options, ended.signal);
  try {
    stream.write({ create_request: createRequest(options) });
    let last = options.after;
    let fragments: readonly StoreEvent[] = [];
    for await (const response of stream as AsyncIterable<WatchReply>) {
      silence.since = clock.now();
      if (response.canceled) throw cancelled(response);
      const current = response.revision;
      if (current < last)
        throw new HistoryGone(`store at revision ${current}, delivered was ${last}: restored from a backup?`);
      if (response.created) continue;
      fragments = fragments.length === 0 ? response.events : [...fragments, ...response.events];
      if (response.fragment) continue;
      const isProgress = fragments.length === 0;
      const events = fragments.filter((event) => revisionOf(event) > last);
      fragments = [];
      const newest = events.at(-1);
      if (isProgress) last = current;
      else if (newest !== undefined) last = revisionOf(newest);
      silence.since = undefined;
      yield events.length > 0 ? { kind: 'events', revision: last, events } : { kind: 'progress', revision: last };
      silence.since = clock.now();
    }
    throw new Error('etcd ended the watch stream');
  } finally {
    ended.abort();
    options.signal.removeEventListener('abort', cancel);
    cancel();
  }
}

function createRequest(options: WatchOptions): NonNullable<IWatchRequest['create_request']> {
  const { start, end } = prefixRange(options.prefix);
  return {
    key: Buffer.from(start),
    range_end: Buffer.from(end),
    start_revision: String(options.after),
    progress_notify: true,
    fragment: true,
  };
}

function cancelled(response: WatchReply): Error {
  if (response.compactRevision !== 0n) return new HistoryGone(`compacted up to revision ${response.compactRevision}`);
  return new Error(`etcd cancelled the watch: ${response.cancelReason}`);
}

/** Since when a stream is listened to in silence; undefined while what it said is being taken in. */
interface Silence {
  since: number | undefined;
}

/** A member that is frozen or cut off must not look like a quiet one: it is asked for a sign of life, and given up without one. */
async function attend(
  stream: ClientDuplexStream<IWatchRequest, WatchReply>,
  silence: Readonly<Silence>,
  clock: Clock,
  { progressInterval }: Pick<WatchOptions, 'progressInterval'>,
  signal: AbortSignal,
): Promise<void> {
  let asked = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const now = clock.now();
    const since = silence.since ?? now;
    const due = Math.max(since, asked) + progressInterval;
    if (now < due) {
      await clock.sleep(milliseconds(due - now), signal);
    } else if (asked >= since) {
      stream.destroy(new Error(`no answer to a progress request for ${progressInterval} ms`));
      return;
    } else {
      stream.write({ progress_request: {} });
      asked = now;
    }
  }
}
