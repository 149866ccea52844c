import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerTo, decodeProbe, encodeProbe, smallestProbe } from './probe.ts';

const probes = fc.record({
  kind: fc.constantFrom('request' as const, 'answer' as const),
  session: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  number: fc.nat(0xffffffff),
  interval: fc.nat(0xffffffff),
});

test('a probe reads back as it was written, whatever its size', () => {
  fc.assert(
    fc.property(probes, fc.nat(9_000), (probe, size) => {
      const bytes = encodeProbe(probe, size);
      expect(bytes.length).toBe(Math.max(size, smallestProbe));
      expect(decodeProbe(bytes)).toEqual(probe);
      expect(decodeProbe(answerTo(bytes))).toEqual({ ...probe, kind: 'answer' });
    }),
  );
});

test('other bytes are no probe, and no error', () => {
  expect(decodeProbe(new Uint8Array(smallestProbe))).toBeUndefined();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const [first] = bytes;
      fc.pre(first !== 0x43);
      expect(decodeProbe(bytes)).toBeUndefined();
    }),
  );
});

test('the form on the wire', () => {
  const probe = { kind: 'request', session: 0x0102030405060708n, number: 9, interval: 1_000 } as const;
  expect(Buffer.from(encodeProbe(probe, 0)).toString('hex')).toBe(
    '43575031010000000102030405060708' + '00000009000003e8',
  );
});
