import { addressOf, type Family, familyOf, ipBits, type Prefix, sizeOf } from '@causeway/model';

/** Addresses of one family as numbers, both ends included. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

export function rangeOf(prefix: Prefix): AddressRange {
  const first = ipBits(addressOf(prefix));
  return { first, last: first + sizeOf(prefix) - 1n };
}

/** The addresses of a prefix. Two ranges are compared without parsing. */
export interface PrefixRange extends AddressRange {
  readonly prefix: Prefix;
  readonly family: Family;
}

export function prefixRange(prefix: Prefix): PrefixRange {
  return { prefix, family: familyOf(prefix), ...rangeOf(prefix) };
}

/** Whether the two have an address in common. */
export function meet(a: PrefixRange, b: PrefixRange): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}
