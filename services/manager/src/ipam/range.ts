import { addressOf, ipBits, type Prefix, sizeOf } from '@causeway/model';

/** Addresses of one family as numbers, both ends included. */
export interface AddressRange {
  readonly first: bigint;
  readonly last: bigint;
}

export function rangeOf(prefix: Prefix): AddressRange {
  const first = ipBits(addressOf(prefix));
  return { first, last: first + sizeOf(prefix) - 1n };
}
