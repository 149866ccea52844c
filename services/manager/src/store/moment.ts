/** When something came to be: where the store was then, and the time of day. */
export interface Moment {
  /** 0: not known. */
  readonly revision: bigint;
  /** Unix time, milliseconds, by the clock of this manager; undefined: not known. */
  readonly time?: number | undefined;
}

/** Before anything that is known. */
export const never: Moment = { revision: 0n };

/** Of two moments at one revision the one whose time is known, and the later if both are. */
export function latest(...moments: readonly Moment[]): Moment {
  return moments.reduce((one, other) => (compare(one, other) < 0 ? other : one), never);
}

/** Of two moments at one revision the one whose time is not known: that is the older one. */
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
