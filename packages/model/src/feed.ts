import { addDigest, type Digests } from './digest.ts';
import {
  type AnyRow,
  byRowKind,
  networkDigests,
  type RowKind,
  type Rows,
  type RowTypes,
  rowDigests,
  rowKinds,
  type SentNetwork,
} from './records.ts';

/**
 * One version of what managers send to agents. Both sides compare its digest to see whether they hold the same table of a
 * network. The digest is the sum mod 2^64 of one hash for each row and one for the network. So it is updated by adding
 * and subtracting single rows, in any order. It detects loss and damage, not malice.
 *
 * What the digests cover is written beside each noun: `networkDigests`, `endpointDigests`. A version never changes once it
 * is released. Another list of fields is another entry there, under the number of the next version, and the former version
 * stays for a release. When a session begins, manager and agent agree on the newest version that both know.
 */
export interface FeedVersion {
  readonly number: number;
  /**
   * Each digest covers everything in a row that a host of this version programs. undefined: such a host does not know the
   * kind, and ignores its rows.
   */
  readonly rowDigests: { readonly [Kind in RowKind]: ((row: RowTypes[Kind]) => bigint) | undefined };
  /** Covers everything in the network itself that a host of this version programs. */
  readonly networkDigest: (network: SentNetwork) => bigint;
}

/** The version that a message means when it names none: that of agents and managers before versions had numbers. */
export const unnamedFeed = 1;

/** The oldest version that this program speaks. */
const oldest = unnamedFeed;

/** The newest version: the highest number that an entry of a digest has. */
const newest = Math.max(
  ...[networkDigests, ...Object.values(rowDigests)].flatMap((all) => Object.keys(all).map(Number)),
);

/** All versions that this program knows, oldest first. */
export const feedVersions: readonly FeedVersion[] = Array.from({ length: newest - oldest + 1 }, (_, i) =>
  versionOf(oldest + i),
);

function versionOf(number: number): FeedVersion {
  return {
    number,
    rowDigests: byRowKind((kind) => digestIn<never>(rowDigests[kind], number)) as FeedVersion['rowDigests'],
    networkDigest: digestIn(networkDigests, number) ?? missing(number),
  };
}

/** The digest of this content in a version; undefined: the version does not know such content. */
function digestIn<Content>(digests: Digests<Content>, version: number): ((content: Content) => bigint) | undefined {
  const numbers = Object.keys(digests).map(Number);
  const digest = digests[Math.max(...numbers.filter((number) => number <= version))];
  return digest && ((content) => digest(content, version));
}

function missing(version: number): never {
  throw new TypeError(`feed version ${version} has no digest of a network`);
}

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
