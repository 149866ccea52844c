/** When something happened: the store's revision at that moment, and the time. */
export interface Moment {
  /** 0: not known. */
  readonly revision: bigint;
  /** Unix time, milliseconds, by the clock of this manager; undefined: not known. */
  readonly time?: number | undefined;
}

/** Earlier than every other moment. */
export const never: Moment = { revision: 0n };

/** At equal revisions, a moment with a known time wins over one without, and the later time over the earlier. */
export function latest(...moments: readonly Moment[]): Moment {
  return moments.reduce((one, other) => (compare(one, other) < 0 ? other : one), never);
}

/** At equal revisions, a moment without a known time counts as the earlier one. */
export function earliest([first = never, ...others]: readonly Moment[]): Moment {
  return others.reduce((one, other) => (compare(other, one) < 0 ? other : one), first);
}

function compare(one: Moment, other: Moment): number {
  if (one.revision !== other.revision) return one.revision < other.revision ? -1 : 1;
  const [a, b] = [one.time ?? Number.NEGATIVE_INFINITY, other.time ?? Number.NEGATIVE_INFINITY];
  return a === b ? 0 : a - b;
}

export function later(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

export function earlier(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
