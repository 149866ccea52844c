import { dueAt, type FoundIpsec, type RekeyReason } from '@causeway/encryption';
import type { Ip } from '@causeway/model';
import { type Duration, minutes } from '@causeway/runtime';

/** What the managers want of a host's keys. */
export interface RekeyOrders {
  /** How often the host makes a new key. */
  readonly period: Duration;
  /** The host shall have a key of a later generation than this. */
  readonly afterGeneration: number;
}

/** The generation of four bits in an SPI. */
const generationOf = (spi: number): number => spi >>> 28;
const generations = 16;

/** A clock that is set back by less makes no new key: the present one only lives that much longer. */
const clockTolerance = minutes(5);

/** The newest of a host's own keys. */
export interface NewestKey {
  readonly generation: number;
  readonly publicKey: Uint8Array;
  /** Unix ms. */
  readonly createdAt: number;
}

/**
 * Why the newest key should be followed by another. `found`: SAs as the kernel has them, with their counts. `now`: Unix ms. That
 * SAs are lost is found elsewhere: `planHost`.
 */
export function reasonToRekey(
  newest: NewestKey | undefined,
  { own, found }: { readonly own: Ip; readonly found: Pick<FoundIpsec, 'xfrmStates'> },
  { period, afterGeneration }: RekeyOrders,
  now: number,
): RekeyReason | undefined {
  if (newest === undefined) return undefined;
  if (newest.generation <= afterGeneration) return 'requested';
  // A key from the future: the clock was wrong when the key was made, and nothing else would end the key before that time.
  if (dueAt(newest, period) <= now || newest.createdAt - now > clockTolerance) return 'due';
  for (const { src, spi, counts, limits } of found.xfrmStates.values()) {
    if (src !== own || generationOf(spi) !== newest.generation % generations || counts === undefined) continue;
    const { bytes = Number.POSITIVE_INFINITY, packets = Number.POSITIVE_INFINITY } = limits.soft ?? {};
    if (counts.bytes >= bytes || counts.packets >= packets) return 'limit';
  }
  return undefined;
}
