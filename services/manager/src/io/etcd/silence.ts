import type { WatchRequest, WatchResponse } from '@causeway/proto/gen/etcd/rpc.js';
import { type Clock, type Duration, milliseconds } from '@causeway/runtime';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { EtcdEndpoint, EtcdPool } from './pool.ts';

/** The member lives and has what comes next, and the stream has not brought it in all this time. */
export class StuckStream extends Error {}

/** Of a stream that is listened to. */
export interface Silence {
  /** Since when; undefined while what it said is being taken in. */
  since: number | undefined;
  delivered: bigint;
}

interface AttendParts {
  readonly clock: Clock;
  readonly pool: Pick<EtcdPool, 'call' | 'bounds'>;
}

interface AttendedStream {
  /** The member at its other end. */
  readonly endpoint: EtcdEndpoint;
  readonly stream: Pick<ClientDuplexStream<WatchRequest, WatchResponse>, 'write' | 'destroy'>;
  readonly silence: Readonly<Silence>;
}

/** A large revision may be on its way for so many intervals, from a member that lives. */
const patience = 10;

/**
 * A member that is frozen or cut off must not look like a quiet one: it is asked for a sign of life on the stream. Without
 * one it may still be at work on a large revision, which nothing overtakes: so it is asked beside the stream which revision
 * it has. Only one that does not answer, or has nothing to bring, is given up at once; the stream ends with the reason.
 */
export async function attend(
  { clock, pool }: AttendParts,
  { endpoint, stream, silence }: AttendedStream,
  interval: Duration,
  signal: AbortSignal,
): Promise<void> {
  let asked = Number.NEGATIVE_INFINITY;
  let looked = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const now = clock.now();
    const since = silence.since ?? now;
    const due = Math.max(since, asked, looked) + interval;
    if (now < due) {
      await clock.sleep(milliseconds(due - now), signal);
    } else if (asked < since) {
      stream.write({ requestUnion: { oneofKind: 'progressRequest', progressRequest: {} } });
      asked = now;
    } else {
      const revision = await currentRevision({ pool }, endpoint, interval, signal);
      if (silence.since !== since || signal.aborted) continue;
      const why = verdict({ revision, delivered: silence.delivered, silent: clock.now() - since, interval });
      if (why === undefined) looked = clock.now();
      else return void stream.destroy(why);
    }
  }
}

/** Why a stream that did not answer is to be given up; undefined: something is on its way. */
export function verdict(seen: {
  /** That the member has; undefined: it did not answer. */
  readonly revision: bigint | undefined;
  readonly delivered: bigint;
  /** For so long, milliseconds. */
  readonly silent: number;
  readonly interval: Duration;
}): Error | undefined {
  const { revision, delivered, silent, interval } = seen;
  if (revision === undefined || revision <= delivered)
    return new Error(`no answer to a progress request for ${interval} ms`);
  if (silent < patience * interval) return undefined;
  return new StuckStream(`the member is at revision ${revision}, the stream brought nothing for ${silent} ms`);
}

async function currentRevision(
  { pool }: Pick<AttendParts, 'pool'>,
  { clients: { maintenance } }: EtcdEndpoint,
  limit: Duration,
  signal: AbortSignal,
): Promise<bigint | undefined> {
  try {
    const { header } = await pool.call(maintenance.status.bind(maintenance), {}, pool.bounds(signal, limit));
    return header?.revision;
  } catch {
    return undefined;
  }
}
