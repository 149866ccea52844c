import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OffsetSet } from './offset-set.ts';

/** The obvious implementation, to compare with. */
class Oracle {
  readonly members = new Set<bigint>();
  readonly size: bigint;

  constructor(size: bigint) {
    this.size = size;
  }

  nextMissing(from: bigint): bigint | undefined {
    for (let offset = from; offset < this.size; offset++) if (!this.members.has(offset)) return offset;
    return undefined;
  }
}

describe('OffsetSet', () => {
  test('agrees with a plain set on any history', () => {
    const sizes = fc.constantFrom(1n, 2n, 31n, 32n, 33n, 64n, 1_000n, 1_024n, 1_025n);
    const step = fc.record({
      act: fc.constantFrom('add', 'add', 'fill', 'delete', 'probe'),
      at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    });
    fc.assert(
      fc.property(sizes, fc.array(step, { maxLength: 300 }), (size, steps) => {
        const set = new OffsetSet(size);
        const oracle = new Oracle(size);
        for (const { act, at } of steps) {
          const offset = BigInt(Math.floor(at * Number(size)));
          if (act === 'add') {
            expect(set.add(offset)).toBe(!oracle.members.has(offset));
            oracle.members.add(offset);
          } else if (act === 'fill') {
            for (let i = 0n; i < 40n && offset + i < size; i++) {
              set.add(offset + i);
              oracle.members.add(offset + i);
            }
          } else if (act === 'delete') {
            expect(set.delete(offset)).toBe(oracle.members.delete(offset));
          }
          expect(set.has(offset)).toBe(oracle.members.has(offset));
          expect(set.nextMissing(offset)).toBe(oracle.nextMissing(offset));
          expect(set.nextMissing()).toBe(oracle.nextMissing(0n));
          expect(set.count).toBe(BigInt(oracle.members.size));
        }
      }),
    );
  });

  test('is exact beyond 2^63', () => {
    const set = new OffsetSet(1n << 128n);
    const last = (1n << 128n) - 1n;
    const middle = (1n << 127n) + 12_345n;
    for (const offset of [0n, middle, middle + 1n, last]) expect(set.add(offset)).toBe(true);
    expect(set.nextMissing()).toBe(1n);
    expect(set.nextMissing(middle)).toBe(middle + 2n);
    expect(set.nextMissing(last)).toBeUndefined();
    expect(set.has(middle + 2n)).toBe(false);
    expect(set.delete(middle)).toBe(true);
    expect(set.nextMissing(middle)).toBe(middle);
    expect(set.count).toBe(3n);
  });

  test('refuses an offset outside', () => {
    expect(() => new OffsetSet(4n).add(4n)).toThrow(RangeError);
    expect(() => new OffsetSet(4n).add(-1n)).toThrow(RangeError);
    expect(new OffsetSet(4n).delete(9n)).toBe(false);
    expect(new OffsetSet(4n).nextMissing(4n)).toBeUndefined();
  });

  test('gives each of 2^17 offsets once, then none, then the one that came back', () => {
    const size = 1n << 17n;
    const set = new OffsetSet(size);
    for (let i = 0n; i < size; i++) set.add(set.nextMissing() ?? -1n);
    expect(set.count).toBe(size);
    expect(set.nextMissing()).toBeUndefined();
    expect(set.delete(77_777n)).toBe(true);
    expect(set.nextMissing()).toBe(77_777n);
  });
});
