import {
  addressOf,
  family,
  familyOf,
  type Ip,
  ipBits,
  ipFromBits,
  lengthOf,
  type Prefix,
  sizeOf,
} from '@causeway/model';
import { OffsetSet } from './offset-set.ts';

/** Why an address of a subnet is never given to an endpoint. */
export type Reservation = 'network address' | 'broadcast address' | 'subnet-router anycast address' | 'gateway';

export interface PoolOptions {
  readonly gateway?: Ip;
  /** Where automatic choices come from; the whole subnet when absent. Asking for an address outside of them is fine. */
  readonly ranges?: readonly Prefix[];
}

interface Span {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * The addresses of one subnet: which are taken, and which is the lowest free one. Taking and giving back are idempotent,
 * so it can be kept in step from several sources.
 */
export class Pool {
  readonly prefix: Prefix;
  /** Addresses that endpoints can have, those in use included. */
  readonly capacity: bigint;
  readonly #start: bigint;
  readonly #spans: readonly Span[];
  readonly #reserved: ReadonlyMap<bigint, Reservation>;
  readonly #taken: OffsetSet;

  constructor(prefix: Prefix, options: PoolOptions = {}) {
    this.prefix = prefix;
    this.#start = ipBits(addressOf(prefix));
    this.#taken = new OffsetSet(sizeOf(prefix));
    this.#reserved = new Map([
      ...structural(prefix),
      ...(options.gateway === undefined ? [] : [[this.offset(options.gateway), 'gateway'] as const]),
    ]);
    for (const offset of this.#reserved.keys()) this.#taken.add(offset);
    this.capacity = this.#taken.size - this.#taken.count;
    this.#spans = (options.ranges ?? [prefix]).map((range) => {
      const first = this.offset(addressOf(range));
      return { first, last: first + sizeOf(range) - 1n };
    });
  }

  /** Addresses that endpoints have. */
  get used(): bigint {
    return this.#taken.count - BigInt(this.#reserved.size);
  }

  contains(ip: Ip): boolean {
    if (family(ip) !== familyOf(this.prefix)) return false;
    const offset = this.offset(ip);
    return offset >= 0n && offset < this.#taken.size;
  }

  /** Position in the subnet; 0 is the network address. */
  offset(ip: Ip): bigint {
    return ipBits(ip) - this.#start;
  }

  /** The address at that position when it can be given now. */
  freeAt(offset: bigint): Ip | undefined {
    const eligible = this.#spans.some(({ first, last }) => offset >= first && offset <= last);
    return eligible && !this.#taken.has(offset) ? this.#at(offset) : undefined;
  }

  /** The first free address at or after that position, in the ranges automatic choices come from. */
  lowestFree(from = 0n): Ip | undefined {
    for (const { first, last } of this.#spans) {
      if (last < from) continue;
      const offset = this.#taken.nextMissing(from > first ? from : first);
      if (offset !== undefined && offset <= last) return this.#at(offset);
    }
    return undefined;
  }

  reservation(ip: Ip): Reservation | undefined {
    return this.#reserved.get(this.offset(ip));
  }

  isTaken(ip: Ip): boolean {
    return this.#taken.has(this.offset(ip));
  }

  take(ip: Ip): void {
    this.#taken.add(this.offset(ip));
  }

  giveBack(ip: Ip): void {
    const offset = this.offset(ip);
    if (!this.#reserved.has(offset)) this.#taken.delete(offset);
  }

  #at(offset: bigint): Ip {
    return ipFromBits(familyOf(this.prefix), this.#start + offset);
  }
}

/**
 * What the prefix itself reserves: RFC 1122 §3.2.1.3 (network and broadcast), RFC 4291 §2.6.1 (subnet-router anycast);
 * nothing where a subnet is a point-to-point link or one address (RFC 3021, RFC 6164).
 */
function structural(prefix: Prefix): readonly (readonly [bigint, Reservation])[] {
  if (familyOf(prefix) === 6) return lengthOf(prefix) <= 126 ? [[0n, 'subnet-router anycast address']] : [];
  if (lengthOf(prefix) > 30) return [];
  return [
    [0n, 'network address'],
    [sizeOf(prefix) - 1n, 'broadcast address'],
  ];
}
