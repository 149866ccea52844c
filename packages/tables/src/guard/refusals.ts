import { TokenBucket } from '@causeway/runtime';
import type { Distrust } from '../keys/table-keys.ts';

/**
 * Why something that a peer sent changed nothing.
 * `stale`: older than the table, as a replay is; honest peers send some, too, when the network reorders.
 * `muted`, `flood`: the peer had sent too much, or too much that was refused, and was not read.
 */
export type Why =
  | Distrust
  | 'bad-key'
  | 'diverged'
  | 'flood'
  | 'forged-state'
  | 'malformed'
  | 'muted'
  | 'replayed'
  | 'stale'
  | 'unasked'
  | 'unknown-peer';

/** Only a faulty or hostile peer is refused for these, and finding out costs the most. */
const isHostile: ReadonlySet<Why> = new Set<Why>(['bad-key', 'bad-signature', 'forged-state', 'malformed']);

/** More than a manager sends by itself (pacing: 2,000 a second), so that only a flood is cut. */
const frames = { burst: 1_000, perSecond: 3_000 };
/** After this many the peer is not read for a while: each may cost the verification of a signature. */
const hostile = { burst: 10, perSecond: 1 };
const mute = 1_000;

interface Record {
  readonly frames: TokenBucket;
  readonly hostile: TokenBucket;
  mutedUntil: number;
  readonly counts: Map<Why, number>;
}

/** Counts refusals by peer, and stops reading peers that flood. Peers are members of the cluster, so their number is bounded. */
export class Refusals {
  readonly #peers = new Map<string, Record>();

  /** Whether the next frame of the peer is read at all. */
  admits(peer: string, now: number): Why | undefined {
    const record = this.#of(peer, now);
    if (now < record.mutedUntil) return this.#count(record, 'muted');
    return record.frames.take(now) ? undefined : this.#count(record, 'flood');
  }

  refuse(peer: string, why: Why, now: number): void {
    const record = this.#of(peer, now);
    this.#count(record, why);
    if (isHostile.has(why) && !record.hostile.take(now)) record.mutedUntil = now + mute;
  }

  /** By peer and reason, since the start. */
  counts(): ReadonlyMap<string, ReadonlyMap<Why, number>> {
    return new Map([...this.#peers].map(([peer, { counts }]) => [peer, counts]));
  }

  #of(peer: string, now: number): Record {
    let record = this.#peers.get(peer);
    if (record === undefined) {
      record = {
        frames: new TokenBucket(frames, now),
        hostile: new TokenBucket(hostile, now),
        mutedUntil: Number.NEGATIVE_INFINITY,
        counts: new Map(),
      };
      this.#peers.set(peer, record);
    }
    return record;
  }

  #count({ counts }: Record, why: Why): Why {
    counts.set(why, (counts.get(why) ?? 0) + 1);
    return why;
  }
}
