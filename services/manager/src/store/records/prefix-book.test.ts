import { type Family, familyOf, ipFromBits, overlaps, Prefix, width } from '@causeway/model';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AddressRange, prefixRange, rangeOf } from './address-range.ts';
import { PrefixBook, rangeAt } from './prefix-book.ts';

/** Prefixes of few lengths in a small part of the family, so that many of them are equal, adjoin, or contain each other. */
function prefixes(of: Family): fc.Arbitrary<Prefix> {
  const base = of === 4 ? 0x0a00_0000n : 0xfd66n << 112n;
  return fc.record({ bits: fc.integer({ min: 0, max: 6 }), offset: fc.nat(63) }).map(({ bits, offset }) => {
    const first = base + ((BigInt(offset) >> BigInt(bits)) << BigInt(bits));
    return Prefix(`${ipFromBits(of, first)}/${width(of) - bits}`);
  });
}

function steps(of: Family) {
  return fc.array(
    fc.record({
      act: fc.constantFrom('add' as const, 'add' as const, 'delete' as const),
      prefix: prefixes(of),
      holder: fc.nat(2),
      isRead: fc.boolean(),
    }),
    { maxLength: 60 },
  );
}

/** The same by comparing everything with everything. */
class PlainBook {
  readonly held = new Map<string, { readonly prefix: Prefix; readonly holder: number }>();

  overlapping(prefix: Prefix): string[] {
    return [...this.held].flatMap(([key, other]) => (overlaps(prefix, other.prefix) ? [key] : [])).sort();
  }

  get runs(): readonly AddressRange[] {
    const joined: { first: bigint; last: bigint }[] = [];
    const ranges = [...this.held.values()].map(({ prefix }) => rangeOf(prefix));
    for (const { first, last } of ranges.sort((a, b) => (a.first < b.first ? -1 : 1))) {
      const run = joined.at(-1);
      if (run === undefined || first > run.last + 1n) joined.push({ first, last });
      else if (last > run.last) run.last = last;
    }
    return joined;
  }
}

test.each<Family>([4, 6])('a book of IPv%i prefixes finds what a comparison with every prefix finds', (of) => {
  fc.assert(
    fc.property(steps(of), prefixes(of), (script, asked) => {
      const [book, plain] = [new PrefixBook<number>(), new PlainBook()];
      for (const { act, prefix, holder, isRead } of script) {
        book[act](prefixRange(prefix), holder);
        if (act === 'add') plain.held.set(`${prefix} ${holder}`, { prefix, holder });
        else plain.held.delete(`${prefix} ${holder}`);
        if (isRead) expect(book.runs).toEqual(plain.runs);
      }
      const found = [...book.overlapping(prefixRange(asked))].map(({ range, holder }) => `${range.prefix} ${holder}`);
      expect(found.sort()).toEqual(plain.overlapping(asked));
      expect(book.runs).toEqual(plain.runs);
      expect(book.size).toBe(new Set([...plain.held.values()].map(({ prefix }) => prefix)).size);
      const range = rangeOf(asked);
      const meets = (run: AddressRange): boolean => run.first <= range.last && range.first <= run.last;
      expect(rangeAt(book.runs, range)).toEqual(plain.runs.find(meets));
    }),
  );
});

test('ranges join across a whole family, and an empty book has none', () => {
  const book = new PrefixBook<number>();
  expect(book.runs).toEqual([]);
  for (const text of ['128.0.0.0/1', '0.0.0.0/1']) book.add(prefixRange(Prefix(text)), 1);
  expect(book.runs).toEqual([rangeOf(Prefix('0.0.0.0/0'))]);
  expect([...book.overlapping(prefixRange(Prefix('10.0.0.0/8')))].map(({ range }) => familyOf(range.prefix))).toEqual([
    4,
  ]);
});
