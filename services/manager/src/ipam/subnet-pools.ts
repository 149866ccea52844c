import {
  CausewayError,
  type ClusterId,
  type Family,
  fail,
  familyOf,
  ipFromBits,
  lengthOf,
  type Name,
  ok,
  Prefix,
  parsePrefix,
  type Result,
  sizeOf,
  width,
} from '@causeway/model';
import { type AddressRange, rangeOf } from '../store/records/address-range.ts';
import { rangeAt } from '../store/records/prefix-book.ts';
import type { View } from '../store/view.ts';
import { checkUsable } from './subnet.ts';

/** A prefix from which subnets are taken when a request names none. It is cut into parts of one length. */
export interface DefaultPool {
  readonly prefix: Prefix;
  /** Prefix length of each part. */
  readonly length: number;
}

/** The IPv4 pool of a cluster that was given none. */
const four: DefaultPool = { prefix: Prefix('10.0.0.0/8'), length: 20 };
const sixLength = 64;

/** The longest prefix of a subnet that has room for endpoints beside its gateway. */
const longest: Record<Family, number> = { 4: 30, 6: 126 };

/**
 * The pools of a cluster: those that it was given. A family without a given pool uses 10.0.0.0/8 in parts of /20, or the
 * cluster's own ULA in parts of /64.
 */
export function poolsOf(given: readonly DefaultPool[], cluster: ClusterId | undefined): readonly DefaultPool[] {
  const has = (family: Family): boolean => given.some(({ prefix }) => familyOf(prefix) === family);
  const six = cluster === undefined ? [] : [{ prefix: uniqueLocal(cluster), length: sixLength }];
  return [...given, ...(has(4) ? [] : [four]), ...(has(6) ? [] : six)];
}

/** RFC 4193 §3.1: fd00::/8 and a Global ID of 40 random bits, here from the cluster's id. */
export function uniqueLocal(cluster: ClusterId): Prefix {
  return Prefix(`fd${cluster.slice(0, 2)}:${cluster.slice(2, 6)}:${cluster.slice(6, 10)}::/48`);
}

/** Parses a pool such as "10.0.0.0/8:20". */
export function parsePool(text: string): Result<DefaultPool, CausewayError> {
  const at = text.lastIndexOf(':');
  const prefix = parsePrefix(text.slice(0, at));
  if (at < 0 || !prefix.ok)
    return fail(refuse(`"${text}" is not PREFIX:LENGTH such as 10.0.0.0/8:20 or fd00:1::/48:64`));
  const length = /^\d{1,3}$/.test(text.slice(at + 1)) ? Number(text.slice(at + 1)) : Number.NaN;
  const [least, most] = [lengthOf(prefix.value), longest[familyOf(prefix.value)]];
  if (!(length >= least && length <= most)) {
    return fail(refuse(`${text}: ${prefix.value} is divided into subnets of a length from ${least} to ${most}`));
  }
  try {
    checkUsable(prefix.value, '--default-pool');
  } catch (error) {
    if (error instanceof CausewayError) return fail(error);
    throw error;
  }
  return ok({ prefix: prefix.value, length });
}

/**
 * One subnet of each family: the lowest one, in the first pool with room, that overlaps no network of the address space
 * and no route of a host.
 * @throws CausewayError subnet-exhausted
 */
export function takeSubnets(
  families: readonly Family[],
  space: Name,
  pools: readonly DefaultPool[],
  view: View,
): readonly Prefix[] {
  return families.map((family) => {
    const candidates = pools.filter(({ prefix }) => familyOf(prefix) === family);
    const ofNetworks = view.records('network').subnetsIn(space, family).runs;
    const taken = [ofNetworks, view.records('node').routesIn(family).runs];
    for (const pool of candidates) {
      const free = firstFree(pool, taken);
      if (free !== undefined) return free;
    }
    throw exhausted(family, candidates, ofNetworks);
  });
}

function partSize({ prefix, length }: DefaultPool): bigint {
  return 1n << BigInt(width(familyOf(prefix)) - length);
}

/** `taken`: lists of ranges, each in order and apart. */
function firstFree(pool: DefaultPool, taken: readonly (readonly AddressRange[])[]): Prefix | undefined {
  const { first, last } = rangeOf(pool.prefix);
  const size = partSize(pool);
  for (let at = first; at <= last; ) {
    const part = { first: at, last: at + size - 1n };
    const inTheWay = taken.map((ranges) => rangeAt(ranges, part)).find((range) => range !== undefined);
    if (inTheWay === undefined) return Prefix(`${ipFromBits(familyOf(pool.prefix), at)}/${pool.length}`);
    at = (inTheWay.last / size + 1n) * size;
  }
  return undefined;
}

function exhausted(family: Family, pools: readonly DefaultPool[], ofNetworks: readonly AddressRange[]): CausewayError {
  const counts = pools.map((pool) => {
    const total = sizeOf(pool.prefix) / partSize(pool);
    const networks = touched(pool, ofNetworks);
    return `${pool.prefix} has ${total} subnets of length ${pool.length}: networks use ${networks}, routes of hosts ${total - networks}`;
  });
  const which = pools.length === 0 ? 'no default pool has that family' : counts.join('; ');
  const message = `no IPv${family} subnet is free: ${which}; name a subnet with --subnet, or start the managers with another --default-pool`;
  return new CausewayError('subnet-exhausted', message, { field: 'subnets', family });
}

/** Number of parts of a pool that the ranges touch, which are in order and apart. */
function touched(pool: DefaultPool, ranges: readonly AddressRange[]): bigint {
  const { first, last } = rangeOf(pool.prefix);
  const size = partSize(pool);
  const end = last / size;
  let count = 0n;
  let next = first / size;
  for (const range of ranges) {
    let to = range.last / size;
    if (to > end) to = end;
    if (range.first / size > next) next = range.first / size;
    if (to < next) continue;
    count += to - next + 1n;
    next = to + 1n;
  }
  return count;
}

function refuse(message: string): CausewayError {
  return new CausewayError('prefix-invalid', `--default-pool: ${message}`, { field: '--default-pool' });
}
