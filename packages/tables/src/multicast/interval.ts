import type { Interval } from '../wire/message.ts';

/** A member of a network's group, as one host sees the member. */
export interface GroupMember {
  readonly name: string;
  readonly isSuspect: boolean;
}

/** A part of an interval, and those who could pass the batch on in it, best first. */
export interface Part {
  readonly interval: Interval;
  readonly candidates: readonly string[];
}

/** Four parts each: 3 hops reach 50 hosts, and 5 reach 1,000. */
const fanOut = 4;
/** Two trees: a host that one tree misses for a while gets the batch by the other. */
export const trees = [0, 1] as const;

const ringSize = 2 ** 32;

/** Place of a member on the ring of a tree. It follows from the name, so hosts that know the same members agree on it. */
export function ringPosition(tree: number, name: string): number {
  let hash = tree === 0 ? 0x811c9dc5 : 0x1b873593;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The whole ring but the origin. */
export function wholeRing(tree: number, origin: string): Interval {
  return { tree, lo: (ringPosition(tree, origin) + 1) % ringSize, span: ringSize - 1 };
}

/**
 * Cuts the interval into parts with as many members each. A host covers all members that it knows in its interval, and the parts
 * cover the interval without a gap, so a member that only the next host knows is served by that host: views need not agree.
 */
export function partsOf(group: readonly GroupMember[], { tree, lo, span }: Interval, self: string): readonly Part[] {
  const inside = group
    .filter(({ name }) => name !== self)
    .map((member) => ({ ...member, at: (ringPosition(tree, member.name) - lo + ringSize) % ringSize }))
    .filter(({ at }) => at < span)
    .sort((a, b) => a.at - b.at || (a.name < b.name ? -1 : 1));
  // A host is mostly the first of its interval. What it hands on does not contain the host, so the batch does not come back.
  const own = (ringPosition(tree, self) - lo + ringSize) % ringSize;
  const start = own < (inside[0]?.at ?? 0) ? own + 1 : 0;
  const each = Math.ceil(inside.length / fanOut);
  const parts: Part[] = [];
  for (let first = 0; first < inside.length; first += each) {
    const from = first === 0 ? start : (inside[first]?.at ?? 0);
    const end = inside[first + each]?.at ?? span;
    const members = inside.slice(first, first + each);
    const candidates = [
      ...members.filter(({ isSuspect }) => !isSuspect),
      ...members.filter(({ isSuspect }) => isSuspect),
    ];
    parts.push({
      interval: { tree, lo: (lo + from) % ringSize, span: end - from },
      candidates: candidates.map(({ name }) => name),
    });
  }
  return parts;
}

/** Whether all positions of `inner` are in `outer`. */
export function contains(outer: Interval, inner: Interval): boolean {
  const offset = (inner.lo - outer.lo + ringSize) % ringSize;
  return outer.tree === inner.tree && offset + inner.span <= outer.span;
}
