import type { WatchRequest, WatchResponse } from '@causeway/proto/gen/etcd/rpc.js';
import { type Clock, type Duration, milliseconds } from '@causeway/runtime';
import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { EtcdEndpoint, EtcdPool } from './pool.ts';

/** The member is alive and has a newer revision, but the stream has not delivered it in all this time. */
export class StuckStream extends Error {}

/** What a watch stream has delivered, and since when the stream is silent. */
export interface StreamState {
  /** When the silence began, on the manager's clock; undefined while the follower processes what the stream delivered. */
  silentSince: number | undefined;
  delivered: bigint;
}

interface SupervisionParts {
  readonly clock: Clock;
  readonly pool: Pick<EtcdPool, 'call' | 'bounds'>;
}

interface SupervisedStream {
  /** The member at the other end of the stream. */
  readonly endpoint: EtcdEndpoint;
  readonly stream: Pick<ClientDuplexStream<WatchRequest, WatchResponse>, 'write' | 'destroy'>;
  readonly state: Readonly<StreamState>;
}

/** Number of intervals for which a large revision may be on its way from a member that is alive. */
const patience = 10;

/**
 * A member that is frozen or cut off must not be taken for a quiet one, so it is asked for a sign of life on the stream.
 * If there is no answer, the member may still be busy with a large revision, and no answer on the stream overtakes that
 * revision. So the member is asked, outside the stream, which revision it has. A stream is given up at once only if the
 * member does not answer or has no newer revision. The stream ends with the reason.
 */
export async function superviseStream(
  { clock, pool }: SupervisionParts,
  { endpoint, stream, state }: SupervisedStream,
  interval: Duration,
  signal: AbortSignal,
): Promise<void> {
  let asked = Number.NEGATIVE_INFINITY;
  let looked = Number.NEGATIVE_INFINITY;
  while (!signal.aborted) {
    const now = clock.now();
    const since = state.silentSince ?? now;
    const due = Math.max(since, asked, looked) + interval;
    if (now < due) {
      await clock.sleep(milliseconds(due - now), signal);
    } else if (asked < since) {
      stream.write({ requestUnion: { oneofKind: 'progressRequest', progressRequest: {} } });
      asked = now;
    } else {
      const revision = await currentRevision({ pool }, endpoint, interval, signal);
      if (state.silentSince !== since || signal.aborted) continue;
      const why = verdict({ revision, delivered: state.delivered, silent: clock.now() - since, interval });
      if (why === undefined) looked = clock.now();
      else return void stream.destroy(why);
    }
  }
}

/** Why a stream without an answer is given up; undefined: a revision is on its way. */
export function verdict(seen: {
  /** Revision of the member; undefined: the member did not answer. */
  readonly revision: bigint | undefined;
  readonly delivered: bigint;
  /** Length of the silence, ms. */
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
  { pool }: Pick<SupervisionParts, 'pool'>,
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
