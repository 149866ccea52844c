import {
  addressOf,
  family,
  familyOf,
  type Ip,
  ipBits,
  ipFromBits,
  lengthOf,
  type Prefix,
  type Subnet,
  sizeOf,
} from '@causeway/model';
import type { Claim, Claimed } from '../store/records/claim.ts';
import { OffsetSet } from './offset-set.ts';

/** Why an address of a subnet is never given to an endpoint. */
type Reservation =
  | 'network address'
  | 'broadcast address'
  | 'subnet-router anycast address'
  | 'gateway'
  | `auxiliary address "${string}"`;

export type SubnetOptions = Omit<Subnet, 'prefix'>;

/** How many addresses endpoints can have, and how many of them are used, reserved or cooling. The rest is free. */
export interface AddressUse {
  readonly size: bigint;
  readonly used: bigint;
  readonly reserved: bigint;
  readonly cooling: bigint;
}

/** Positions in the subnet, both ends included. */
interface OffsetRange {
  readonly first: bigint;
  readonly last: bigint;
}

/**
 * The addresses of one subnet: which are taken, by what kind of claim, and which is the next to give. Taking and giving
 * back are idempotent, so several sources may report the same change.
 */
export class SubnetAddresses {
  readonly prefix: Prefix;
  /** Ranges from which addresses are chosen automatically; empty: the whole subnet. */
  readonly ranges: readonly Prefix[];
  /** Number of gateway and auxiliary addresses. */
  readonly named: bigint;
  readonly #start: bigint;
  readonly #spans: readonly OffsetRange[];
  readonly #reserved: ReadonlyMap<bigint, Reservation>;
  readonly #taken: OffsetSet;
  readonly #use: Tally;
  readonly #useOfRanges: Tally;
  /** The newest automatic choice among the claims. The next choice continues after it. */
  #newest: { readonly offset: bigint; readonly created: bigint } | undefined;

  constructor(prefix: Prefix, { gateway, ranges: named = [], auxAddresses = {} }: SubnetOptions = {}) {
    const ranges = named.length === 0 ? [prefix] : named;
    this.prefix = prefix;
    this.ranges = named;
    this.#start = ipBits(addressOf(prefix));
    this.#taken = new OffsetSet(sizeOf(prefix));
    const ofPrefix = structural(prefix);
    this.#reserved = new Map([
      ...Object.entries(auxAddresses).map(([name, ip]) => [this.offset(ip), `auxiliary address "${name}"`] as const),
      ...(gateway === undefined ? [] : [[this.offset(gateway), 'gateway'] as const]),
      ...ofPrefix,
    ]);
    this.named = BigInt(this.#reserved.size - ofPrefix.length);
    for (const offset of this.#reserved.keys()) this.#taken.add(offset);
    this.#spans = ranges.map((range) => {
      const first = this.offset(addressOf(range));
      return { first, last: first + sizeOf(range) - 1n };
    });
    this.#use = new Tally(this.#taken.size - this.#taken.count);
    const inRanges = ranges.reduce((sum, range) => sum + sizeOf(range), 0n);
    const given = [...this.#reserved.keys()].filter((offset) => this.#isAutomatic(offset));
    this.#useOfRanges = new Tally(inRanges - BigInt(given.length));
  }

  /** Addresses that endpoints can have, those in use included. */
  get capacity(): bigint {
    return this.#use.size;
  }

  /** Counts for the whole subnet. */
  get use(): AddressUse {
    return this.#use;
  }

  /** Counts for the ranges from which addresses are chosen automatically. */
  get useOfRanges(): AddressUse {
    return this.#useOfRanges;
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

  /** The address at that position, if it can be chosen automatically now. */
  freeAt(offset: bigint): Ip | undefined {
    return this.#isAutomatic(offset) && !this.#taken.has(offset) ? this.#at(offset) : undefined;
  }

  /** Whether this address may be chosen automatically. */
  isAutomatic(ip: Ip): boolean {
    return this.contains(ip) && this.#isAutomatic(this.offset(ip));
  }

  /** The first free address at or after that position, in the ranges from which addresses are chosen automatically. */
  lowestFree(from = 0n): Ip | undefined {
    for (const { first, last } of this.#spans) {
      if (last < from) continue;
      const offset = this.#taken.nextMissing(from > first ? from : first);
      if (offset !== undefined && offset <= last) return this.#at(offset);
    }
    return undefined;
  }

  /**
   * Free addresses, each once, in the order in which they are given: from after the newest choice to the end, then from
   * the start.
   */
  *inTurn(): Generator<Ip, void> {
    for (const { first, last } of this.#lap()) {
      let offset = this.#taken.nextMissing(first);
      while (offset !== undefined && offset <= last) {
        yield this.#at(offset);
        offset = this.#taken.nextMissing(offset + 1n);
      }
    }
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

  /** Counts a claim that was created, changed or deleted, and remembers it if it is the newest automatic choice. */
  account(ip: Ip, before: Claimed | undefined, after: Claimed | undefined): void {
    const offset = this.offset(ip);
    if (this.#reserved.has(offset)) return;
    const isAutomatic = this.#isAutomatic(offset);
    for (const tally of isAutomatic ? [this.#use, this.#useOfRanges] : [this.#use]) {
      if (before !== undefined) tally.count(before.claim, -1n);
      if (after !== undefined) tally.count(after.claim, 1n);
    }
    if (isAutomatic && after !== undefined && wasChosen(after.claim)) this.#remember(offset, after.created);
  }

  /** Among several claims of one transaction the highest address counts, in whatever order the claims arrive. */
  #remember(offset: bigint, created: bigint): void {
    const newest = this.#newest;
    const isNewer =
      newest === undefined || created > newest.created || (created === newest.created && offset > newest.offset);
    if (isNewer) this.#newest = { offset, created };
  }

  /** The ranges in search order: they begin after the newest choice and end with it. */
  *#lap(): Generator<OffsetRange, void> {
    const newest = this.#newest?.offset;
    const at = newest === undefined ? -1 : this.#spans.findIndex((span) => newest >= span.first && newest <= span.last);
    const current = this.#spans[at];
    if (newest === undefined || current === undefined) return yield* this.#spans;
    yield { first: newest + 1n, last: current.last };
    yield* this.#spans.slice(at + 1);
    yield* this.#spans.slice(0, at);
    yield { first: current.first, last: newest };
  }

  #isAutomatic(offset: bigint): boolean {
    return this.#spans.some(({ first, last }) => offset >= first && offset <= last);
  }

  #at(offset: bigint): Ip {
    return ipFromBits(familyOf(this.prefix), this.#start + offset);
  }
}

class Tally implements AddressUse {
  readonly size: bigint;
  used = 0n;
  reserved = 0n;
  cooling = 0n;

  constructor(size: bigint) {
    this.size = size;
  }

  count({ kind }: Claim, by: 1n | -1n): void {
    if (kind === 'endpoint') this.used += by;
    else if (kind === 'cooling') this.cooling += by;
    else this.reserved += by;
  }
}

/**
 * A cooling claim no longer says whether the address was requested. Most addresses are not requested, so it counts as
 * chosen.
 */
function wasChosen(claim: Claim): boolean {
  return claim.kind === 'cooling' || (claim.kind === 'endpoint' && !claim.asked);
}

/**
 * Addresses that the prefix itself reserves: RFC 1122 §3.2.1.3 (network and broadcast), RFC 4291 §2.6.1 (subnet-router
 * anycast). None where a subnet is a point-to-point link or a single address (RFC 3021, RFC 6164).
 */
function structural(prefix: Prefix): readonly (readonly [bigint, Reservation])[] {
  if (familyOf(prefix) === 6) return lengthOf(prefix) <= 126 ? [[0n, 'subnet-router anycast address']] : [];
  if (lengthOf(prefix) > 30) return [];
  return [
    [0n, 'network address'],
    [sizeOf(prefix) - 1n, 'broadcast address'],
  ];
}
