import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ip, ipBits, ipFromBytes } from './ip.ts';
import {
  addressOf,
  contains,
  InterfaceAddress,
  lengthOf,
  nthAddress,
  overlaps,
  Prefix,
  parseInterfaceAddress,
  parsePrefix,
  prefixOf,
  sizeOf,
} from './prefix.ts';

describe('parsePrefix', () => {
  it.each(['0.0.0.0/0', '10.66.0.0/16', '10.66.0.9/32', '::/0', 'fd66::/64', 'fd66::9/128'])('reads %s', (text) => {
    expect(parsePrefix(text)).toEqual({ ok: true, value: text });
  });

  it.each([
    ['10.66.0.1/16', 'prefix-host-bits', 'did you mean 10.66.0.0/16?'],
    ['fd66::1/64', 'prefix-host-bits', 'did you mean fd66::/64?'],
    ['10.66.0.0', 'prefix-invalid', 'expected ADDRESS/LENGTH'],
    ['10.66.0.0/33', 'prefix-invalid', 'expected ADDRESS/LENGTH'],
    ['fd66::/129', 'prefix-invalid', 'expected ADDRESS/LENGTH'],
    ['10.66.0.0/016', 'prefix-invalid', 'expected ADDRESS/LENGTH'],
    ['10.66.0.0/-1', 'prefix-invalid', 'expected ADDRESS/LENGTH'],
    ['10.66/16', 'prefix-invalid', 'expected ADDRESS/LENGTH'],
    ['/16', 'prefix-invalid', 'expected ADDRESS/LENGTH'],
    ['', 'prefix-invalid', 'expected ADDRESS/LENGTH'],
  ])('refuses %s as %s', (text, code, says) => {
    const result = parsePrefix(text);
    expect(result).toMatchObject({ ok: false, error: { code } });
    if (!result.ok) expect(result.error.message).toContain(says);
  });
});

describe('an interface address', () => {
  it('keeps its host bits and knows its subnet', () => {
    const address = InterfaceAddress('10.66.3.9/22');
    expect([addressOf(address), lengthOf(address), prefixOf(address)]).toEqual(['10.66.3.9', 22, '10.66.0.0/22']);
  });

  it('refuses what has no length', () => {
    expect(parseInterfaceAddress('10.66.3.9')).toMatchObject({ ok: false, error: { code: 'address-invalid' } });
  });
});

describe('arithmetic', () => {
  it.each([
    ['10.0.0.0/8', '10.66.0.0/16', true],
    ['10.66.0.0/16', '10.0.0.0/8', true],
    ['10.66.0.0/16', '10.67.0.0/16', false],
    ['0.0.0.0/0', '::/0', false],
    ['fd66::/64', 'fd66:0:0:1::/64', false],
    ['fd66::/48', 'fd66:0:0:1::/64', true],
  ])('%s and %s overlap: %s', (a, b, expected) => {
    expect(overlaps(Prefix(a), Prefix(b))).toBe(expected);
  });

  const prefix = fc
    .tuple(
      fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
      fc.nat(128),
    )
    .map(([bytes, length]) =>
      prefixOf(InterfaceAddress(`${ipFromBytes(bytes)}/${Math.min(length, bytes.length * 8)}`)),
    );

  it('an address lies where it was taken from, and nowhere beyond', () => {
    fc.assert(
      fc.property(prefix, fc.bigInt(0n, (1n << 128n) - 1n), (from, seed) => {
        const offset = seed % sizeOf(from);
        const ip = nthAddress(from, offset);
        expect(contains(from, ip)).toBe(true);
        expect(ipBits(ip) - ipBits(addressOf(from))).toBe(offset);
      }),
    );
    expect(contains(Prefix('10.66.0.0/16'), Ip('10.67.0.0'))).toBe(false);
    expect(contains(Prefix('0.0.0.0/0'), Ip('::'))).toBe(false);
  });

  it('two prefixes overlap exactly when one contains the first address of the other', () => {
    fc.assert(
      fc.property(prefix, prefix, (a, b) => {
        expect(overlaps(a, b)).toBe(contains(a, addressOf(b)) || contains(b, addressOf(a)));
      }),
    );
  });
});
