import type { EndpointRow } from './endpoint.ts';
import { isKnown, type Network, type SentNetwork } from './network.ts';
import { type AnyRow, type RowKind, type Rows, type RowTypes, rowKinds } from './row.ts';

/**
 * One version of what managers send to agents. Both sides compare its digest to see whether they hold the same table of a
 * network. The digest is the sum mod 2^64 of one hash for each row and one for the network. So it is updated by adding
 * and subtracting single rows, in any order. It detects loss and damage, not malice.
 *
 * A version never changes once it is released. Another list of fields is another version with the next number, and the
 * former version stays for a release. When a session begins, manager and agent agree on the newest version that both
 * know.
 */
export interface FeedVersion {
  readonly number: number;
  /**
   * Each digest covers everything in a row that a host of this version programs. Such a host ignores rows of other kinds.
   */
  readonly rowDigests: { readonly [Kind in RowKind]?: (row: RowTypes[Kind]) => bigint };
  /** Covers everything in the network itself that a host of this version programs. */
  readonly networkDigest: (network: SentNetwork) => bigint;
}

/** The version of agents and managers from before sessions named a version. */
const first: FeedVersion = {
  number: 1,
  rowDigests: { endpoint: endpointDigest },
  networkDigest: (network) => {
    const { id, name, mtu, subnets } = network;
    return hash64([id, name, vniOf(network), mtu.bytes, subnetsText(subnets)].join('|'));
  },
};

/** Adds the driver and whether the network is internal. */
const second: FeedVersion = {
  number: 2,
  rowDigests: { endpoint: endpointDigest },
  networkDigest: (network) => {
    const { id, name, driver, internal, mtu, subnets } = network;
    // The number comes first, so that a table never has the same digest in two versions.
    return hash64([2, id, name, driver, internal, vniOf(network), mtu.bytes, subnetsText(subnets)].join('|'));
  },
};

/** All versions that this program knows, oldest first. */
export const feedVersions: readonly FeedVersion[] = [first, second];

/** The version that a message means when it names none. */
export const unnamedFeed = 1;

export function feedOf(known: readonly FeedVersion[], number: number): FeedVersion | undefined {
  return known.find((feed) => feed.number === (number === 0 ? unnamedFeed : number));
}

/** undefined: the two sides have no version in common. Empty `numbers`: the other side is older than these numbers. */
export function newestCommonFeed(known: readonly FeedVersion[], numbers: readonly number[]): FeedVersion | undefined {
  const others = numbers.length === 0 ? [unnamedFeed] : numbers;
  return known.findLast(({ number }) => others.includes(number));
}

/** "1 to 2", for messages. */
export function feedRange(numbers: readonly number[]): string {
  const sorted = [...(numbers.length === 0 ? [unnamedFeed] : numbers)].sort((a, b) => a - b);
  const [least = 0, most = least] = [sorted[0], sorted.at(-1)];
  return least === most ? `${least}` : `${least} to ${most}`;
}

export function addDigest(sum: bigint, part: bigint): bigint {
  return BigInt.asUintN(64, sum + part);
}

export function removeDigest(sum: bigint, part: bigint): bigint {
  return BigInt.asUintN(64, sum - part);
}

/** Digest of the table that consists of the network and these rows. */
export function tableDigest(feed: FeedVersion, network: SentNetwork, rows: Rows): bigint {
  let sum = feed.networkDigest(network);
  for (const kind of rowKinds) for (const row of rows[kind].values()) sum = addDigest(sum, rowDigest(feed, kind, row));
  return sum;
}

/** Digest of a row of this kind; 0 in a version that does not know the kind. */
export function rowDigest(feed: FeedVersion, kind: RowKind, row: AnyRow): bigint {
  const digest: ((row: never) => bigint) | undefined = feed.rowDigests[kind];
  return digest?.(row as never) ?? 0n;
}

function endpointDigest({ id, name, node, addresses, mac, vtep }: EndpointRow): bigint {
  return hash64([id, name, node, addresses.join(','), mac, vtep].join('|'));
}

/** Both versions cover the VNI as it is sent, whatever the driver. A network without a VNI is sent with 0. */
function vniOf(network: SentNetwork): number {
  return isKnown(network) ? network.vni : network.sentVni;
}

function subnetsText(subnets: Network['subnets']): string {
  return subnets.map(({ prefix, gateway }) => `${prefix}@${gateway ?? ''}`).join(',');
}

/** Two 32-bit multiply-xorshift lanes over the text's UTF-16 units; the constants are odd and unrelated. */
function hash64(text: string): bigint {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return (BigInt(b >>> 0) << 32n) | BigInt(a >>> 0);
}
