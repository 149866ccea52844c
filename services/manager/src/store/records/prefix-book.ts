import type { AddressRange, PrefixRange } from './address-range.ts';

interface Entry<Holder> {
  readonly range: PrefixRange;
  readonly holders: Set<Holder>;
}

/**
 * Prefixes of one family, each with its holders, in the order of their addresses. Two prefixes are apart, or one contains
 * the other, so a few binary searches find all that a given prefix overlaps.
 */
export class PrefixBook<Holder> {
  /** By first address; where several begin at one address, the widest first. */
  readonly #entries: Entry<Holder>[] = [];
  /** How many entries have each size. */
  readonly #sizes = new Map<bigint, number>();
  #runs: AddressRange[] | undefined;

  get size(): number {
    return this.#entries.length;
  }

  /** The addresses of all prefixes, in order: ranges that overlap or adjoin are one. */
  get runs(): readonly AddressRange[] {
    this.#runs ??= this.#entries.reduce<AddressRange[]>((runs, { range }) => withRange(runs, range), []);
    return this.#runs;
  }

  add(range: PrefixRange, holder: Holder): void {
    const at = this.#firstFrom(range);
    const entry = this.#entries[at];
    if (entry?.range.prefix === range.prefix) {
      entry.holders.add(holder);
      return;
    }
    this.#entries.splice(at, 0, { range, holders: new Set([holder]) });
    this.#count(range, 1);
    if (this.#runs !== undefined) withRange(this.#runs, range);
  }

  delete(range: PrefixRange, holder: Holder): void {
    const at = this.#firstFrom(range);
    const entry = this.#entries[at];
    if (entry?.range.prefix !== range.prefix || !entry.holders.delete(holder) || entry.holders.size > 0) return;
    this.#entries.splice(at, 1);
    this.#count(range, -1);
    this.#runs = undefined;
  }

  /** The prefixes that have an address in common with the range, each once for each holder. */
  *overlapping(range: PrefixRange): Generator<{ readonly range: PrefixRange; readonly holder: Holder }> {
    for (const { range: other, holders } of this.#entriesAt(range))
      for (const holder of holders) yield { range: other, holder };
  }

  *#entriesAt(range: PrefixRange): Generator<Entry<Holder>> {
    for (const size of this.#sizes.keys()) {
      if (size <= sizeOf(range)) continue;
      const first = range.first - (range.first % size);
      const around = this.#entries[this.#firstFrom({ first, last: first + size - 1n })];
      if (around?.range.first === first && sizeOf(around.range) === size) yield around;
    }
    for (let at = this.#firstFrom(range); at < this.#entries.length; at++) {
      const entry = this.#entries[at];
      if (entry === undefined || entry.range.first > range.last) return;
      yield entry;
    }
  }

  #count(range: AddressRange, by: 1 | -1): void {
    const size = sizeOf(range);
    const count = (this.#sizes.get(size) ?? 0) + by;
    if (count === 0) this.#sizes.delete(size);
    else this.#sizes.set(size, count);
  }

  /** Position of the first entry that does not come before the range. */
  #firstFrom({ first, last }: AddressRange): number {
    return firstAt(this.#entries, ({ range }) => range.first > first || (range.first === first && range.last <= last));
  }
}

/** The first of these ranges, which are in order and apart, that has an address in common with the range. */
export function rangeAt(ranges: readonly AddressRange[], { first, last }: AddressRange): AddressRange | undefined {
  const range = ranges[firstAt(ranges, (each) => each.last >= first)];
  return range !== undefined && range.first <= last ? range : undefined;
}

/** Adds a range to ranges that are in order and apart, and joins it with those that it overlaps or adjoins. */
function withRange(runs: AddressRange[], range: AddressRange): AddressRange[] {
  const from = firstAt(runs, (run) => run.last + 1n >= range.first);
  const before = firstAt(runs, (run) => run.first > range.last + 1n);
  const [lowest = range, highest = range] = from < before ? [runs[from], runs[before - 1]] : [];
  const joined = { first: least(lowest.first, range.first), last: most(highest.last, range.last) };
  runs.splice(from, before - from, joined);
  return runs;
}

/** Position of the first item that passes a test which all later items pass, too. */
function firstAt<Item>(items: readonly Item[], passes: (item: Item) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && passes(item)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function sizeOf({ first, last }: AddressRange): bigint {
  return last - first + 1n;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
