import type { EndpointRow } from './endpoint.ts';
import { isKnown, type Network, type SentNetwork } from './network.ts';
import { type AnyRow, type RowKind, type Rows, type RowTypes, rowKinds } from './row.ts';

/**
 * One edition of what managers send to agents. Its digest is what two sides compare to see whether they hold the same
 * table of a network: the sum mod 2^64 of one hash per row and one for the network, so it is kept up to date by adding
 * and subtracting single rows, in any order. It finds loss and damage, not malice.
 *
 * An edition never changes once it is released: another list of fields is another edition with the next number, and the
 * former one stays for a release. Manager and agent agree on the newest edition that both know when a session begins.
 */
export interface FeedVersion {
  readonly number: number;
  /** Each covers everything of a row that a host of this edition programs. Rows of other kinds are nothing to such a host. */
  readonly rowDigests: { readonly [Kind in RowKind]?: (row: RowTypes[Kind]) => bigint };
  /** Covers everything of the network itself that a host of this edition programs. */
  readonly networkDigest: (network: SentNetwork) => bigint;
}

/** What agents and managers spoke before sessions named an edition. */
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
    // The number goes first, so that a table never has the same digest in two editions.
    return hash64([2, id, name, driver, internal, vniOf(network), mtu.bytes, subnetsText(subnets)].join('|'));
  },
};

/** All that this version knows, from the oldest to the newest. */
export const feedVersions: readonly FeedVersion[] = [first, second];

/** The number that stands for a version in a message which does not name one. */
export const unnamedFeed = 1;

export function feedOf(known: readonly FeedVersion[], number: number): FeedVersion | undefined {
  return known.find((feed) => feed.number === (number === 0 ? unnamedFeed : number));
}

/** Undefined: the two sides have none in common. No number: the other side is of before numbers were sent. */
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

/** Of a table that is the network and these rows. */
export function tableDigest(feed: FeedVersion, network: SentNetwork, rows: Rows): bigint {
  let sum = feed.networkDigest(network);
  for (const kind of rowKinds) for (const row of rows[kind].values()) sum = addDigest(sum, rowDigest(feed, kind, row));
  return sum;
}

/** Of a row of that kind; 0 in an edition that does not know the kind. */
export function rowDigest(feed: FeedVersion, kind: RowKind, row: AnyRow): bigint {
  const digest: ((row: never) => bigint) | undefined = feed.rowDigests[kind];
  return digest?.(row as never) ?? 0n;
}

function endpointDigest({ id, name, node, addresses, mac, vtep }: EndpointRow): bigint {
  return hash64([id, name, node, addresses.join(','), mac, vtep].join('|'));
}

/** Both versions cover it whatever the driver, as the number that is sent: a network that has none is sent with 0. */
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
