import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bitString,
  content,
  context,
  contextBytes,
  decode,
  encode,
  integer,
  isContext,
  type Node,
  octetString,
  oid,
  oidOf,
  parts,
  sequence,
  set,
  tag,
  time,
} from './der.ts';

const bytes = Uint8Array.of(1, 2, 3);
const hex = (node: Node): string => Buffer.from(encode(node)).toString('hex');

describe('bytes as X.690 has them', () => {
  test.each<[string, Node, string]>([
    ['the number 0', integer(Uint8Array.of(0, 0)), '020100'],
    ['the number 127', integer(Uint8Array.of(0, 127)), '02017f'],
    ['the number 128, which needs a sign', integer(Uint8Array.of(128)), '02020080'],
    ['no bytes, which are the number 0', integer(new Uint8Array()), '020100'],
    ['bits', bitString(bytes), '030400010203'],
    ['bits of which the last one does not count', bitString(Uint8Array.of(6), 1), '03020106'],
    ['a sequence and a set', sequence(set()), '30023100'],
    ['[2] of bytes', contextBytes(2, bytes), '8203010203'],
    ['[3] of parts', context(3, sequence()), 'a3023000'],
    [
      'the last second of two digits for the year',
      time(Date.UTC(2049, 11, 31, 23, 59, 59)),
      '170d3439313233313233353935395a',
    ],
    ['the first second of four', time(Date.UTC(2050, 0, 1)), '180f32303530303130313030303030305a'],
  ])('%s', (_, node, expected) => expect(hex(node)).toBe(expected));
});

test('a number is the same after the bytes', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n }), (value) => {
      const digits = value.toString(16);
      const written = integer(Buffer.from(digits.padStart(digits.length + (digits.length % 2), '0'), 'hex'));
      const read = content(decode(encode(written)), tag.integer) ?? new Uint8Array();
      expect(BigInt(`0x${Buffer.from(read).toString('hex')}`)).toBe(value);
    }),
  );
});

describe('what a node is', () => {
  test.each<[string, Node | undefined, number, boolean]>([
    ['it', context(0), 0, true],
    ['it, of bytes', contextBytes(0, bytes), 0, true],
    ['another number', context(1), 0, false],
    ['a universal type with that number', sequence(), tag.sequence, false],
    ['nothing', undefined, 0, false],
  ])('[number]: %s', (_, node, number, expected) => expect(isContext(node, number)).toBe(expected));

  test.each<[string, Node | undefined, number, Uint8Array | undefined]>([
    ['of that type', octetString(bytes), tag.octetString, bytes],
    ['of another type', octetString(bytes), tag.integer, undefined],
    ['of parts', sequence(), tag.sequence, undefined],
    ['[number] of bytes', contextBytes(tag.integer, bytes), tag.integer, undefined],
    ['nothing', undefined, tag.integer, undefined],
  ])('content: %s', (_, node, type, expected) => expect(content(node, type)).toEqual(expected));

  test.each<[string, Node | undefined, number, number | undefined]>([
    ['a sequence', sequence(set(), set()), tag.sequence, 2],
    ['a set', set(sequence()), tag.set, 1],
    ['a set instead of a sequence', set(), tag.sequence, undefined],
    ['bytes', octetString(bytes), tag.octetString, undefined],
    ['nothing', undefined, tag.sequence, undefined],
  ])('parts: %s', (_, node, type, count) => expect(parts(node, type)?.length).toBe(count));

  test('an object identifier is its text, and nothing else is', () => {
    expect([oidOf(oid('2.5.29.17')), oidOf(sequence()), oidOf(undefined)]).toEqual(['2.5.29.17', undefined, undefined]);
  });
});
