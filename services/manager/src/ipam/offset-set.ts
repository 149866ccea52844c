/** An offset is split into digits of this many bits. A node of the tree has one slot for each value of its digit. */
const digitBits = 5;
const slots = 1 << digitBits;
const allSlots = -1;

/**
 * One level of the tree. A slot is free (bit clear, no child), partly taken (bit clear, a child), or wholly taken (bit
 * set, no child). So a run of taken offsets needs no more memory when it is long.
 */
interface Branch {
  /** One bit for each slot, set when every offset in the slot is taken. */
  full: number;
  children: Map<number, Branch> | undefined;
}

/**
 * A set of offsets 0 … size − 1 that finds the lowest offset that is not a member. It is exact for every size up to
 * 2^128. Each operation takes one step for each five bits of the size, however many members there are. Memory is bounded
 * by the number of runs of members.
 */
export class OffsetSet {
  readonly size: bigint;
  readonly #top: number;
  readonly #root: Branch = { full: 0, children: undefined };
  #count = 0n;

  constructor(size: bigint) {
    this.size = size;
    this.#top = Math.max(0, Math.ceil(size.toString(2).length / digitBits) - 1);
  }

  /** How many offsets are members. */
  get count(): bigint {
    return this.#count;
  }

  has(offset: bigint): boolean {
    let branch: Branch | undefined = this.#root;
    for (let level = this.#top; branch !== undefined; level--) {
      const slot = digit(offset, level);
      if (isFull(branch, slot)) return true;
      branch = branch.children?.get(slot);
    }
    return false;
  }

  /** False when the offset was a member already. */
  add(offset: bigint): boolean {
    if (offset < 0n || offset >= this.size) throw new RangeError(`offset ${offset} is outside 0 to ${this.size - 1n}`);
    const added = add(this.#root, this.#top, offset);
    if (added) this.#count++;
    return added;
  }

  /** False when the offset was not a member. */
  delete(offset: bigint): boolean {
    const deleted = offset >= 0n && offset < this.size && remove(this.#root, this.#top, offset);
    if (deleted) this.#count--;
    return deleted;
  }

  /** The lowest offset at or above `from` that is not a member. */
  nextMissing(from = 0n): bigint | undefined {
    if (from >= this.size) return undefined;
    const found = nextMissing(this.#root, this.#top, from);
    return found === undefined || found >= this.size ? undefined : found;
  }
}

function digit(offset: bigint, level: number): number {
  return Number((offset >> BigInt(level * digitBits)) & BigInt(slots - 1));
}

function isFull(branch: Branch, slot: number): boolean {
  return (branch.full & (1 << slot)) !== 0;
}

function add(branch: Branch, level: number, offset: bigint): boolean {
  const slot = digit(offset, level);
  if (isFull(branch, slot)) return false;
  if (level > 0) {
    branch.children ??= new Map();
    const child = branch.children.get(slot) ?? { full: 0, children: undefined };
    branch.children.set(slot, child);
    if (!add(child, level - 1, offset)) return false;
    if (child.full !== allSlots) return true;
    dropChild(branch, slot);
  }
  branch.full |= 1 << slot;
  return true;
}

function remove(branch: Branch, level: number, offset: bigint): boolean {
  const slot = digit(offset, level);
  const wasFull = isFull(branch, slot);
  if (level === 0) {
    branch.full &= ~(1 << slot);
    return wasFull;
  }
  if (wasFull) {
    branch.full &= ~(1 << slot);
    branch.children ??= new Map();
    branch.children.set(slot, { full: allSlots, children: undefined });
  }
  const child = branch.children?.get(slot);
  if (child === undefined || !remove(child, level - 1, offset)) return false;
  if (child.full === 0 && child.children === undefined) dropChild(branch, slot);
  return true;
}

function dropChild(branch: Branch, slot: number): void {
  branch.children?.delete(slot);
  if (branch.children?.size === 0) branch.children = undefined;
}

/**
 * Only the slot that contains `from` can turn out to have no missing offset: any other slot is searched from its start,
 * and a slot that is not full has one.
 */
function nextMissing(branch: Branch | undefined, level: number, from: bigint): bigint | undefined {
  if (branch === undefined) return from;
  const shift = BigInt(level * digitBits);
  const first = Number(from >> shift);
  for (let slot = first; slot < slots; slot++) {
    if (isFull(branch, slot)) continue;
    const base = BigInt(slot) << shift;
    if (level === 0) return base;
    const below = slot === first ? from - base : 0n;
    const found = nextMissing(branch.children?.get(slot), level - 1, below);
    if (found !== undefined) return base + found;
  }
  return undefined;
}
