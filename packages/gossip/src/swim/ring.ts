/** What has a place on the ring. */
export interface OnRing {
  readonly name: string;
  readonly hash: number;
}

/**
 * Puts nodes on a ring, at the same places at every node, so that all nodes know without a word who watches whom
 * (FNV-1a, mixed so that names that differ in their last digit are far apart).
 */
export function hashOf(name: string): number {
  let hash = 0x81_1c_9d_c5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01_00_01_93);
  return mixed(hash);
}

/** Spreads all bits over all bits (the finalizer of MurmurHash3). */
export function mixed(bits: number): number {
  let hash = bits;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The next `count` eligible nodes on the ring. */
export function nextOnRing<Node extends OnRing>(
  { hash }: OnRing,
  all: readonly Node[],
  count: number,
  isEligible: (node: Node) => boolean,
): readonly Node[] {
  if (count === 0) return [];
  const way = (to: OnRing): number => (to.hash - hash) >>> 0;
  return all
    .filter(isEligible)
    .sort((a, b) => way(a) - way(b) || (a.name < b.name ? -1 : 1))
    .slice(0, count);
}
