import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { family, Ip, ipBits, ipBytes, ipFromBits, ipFromBytes, parseIp } from './ip.ts';

describe('parseIp', () => {
  it.each([
    ['0.0.0.0', '0.0.0.0'],
    ['10.66.0.9', '10.66.0.9'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['FD66:0:0:0:0:0:0:9', 'fd66::9'],
    ['fd66:0db8:0:0:1:0:0:1', 'fd66:db8::1:0:0:1'], // RFC 5952 §4.2.3: the first of two equal runs
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'], // §4.2.2: one group is not shortened
    ['::ffff:10.1.2.3', '::ffff:a01:203'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ])('reads %s as %s', (text, canonical) => {
    expect(parseIp(text)).toEqual({ ok: true, value: canonical });
  });

  it.each([
    '',
    '10.0.0',
    '10.0.0.0.1',
    '256.0.0.1',
    '01.0.0.1',
    '1.2.3.-4',
    ' 10.0.0.1',
    '10.0.0.1 ',
    '10.0.0.1/8',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7:8::1::2',
    '1:2:3:4:5:6:7:8::',
    '::1.2.3.4:5',
    '1:2:3:4:5:6:7:1.2.3.4',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    'g::',
    '::1.2.3',
    '1.2.3.4::',
    '::1%eth0',
    'x'.repeat(10_000),
  ])('refuses %j', (text) => {
    const result = parseIp(text);
    expect(result).toMatchObject({ ok: false, error: { code: 'address-invalid' } });
    if (!result.ok) expect(result.error.message.length).toBeLessThan(120);
  });

  it('takes or refuses whatever it is given, and what it takes stays as it is', () => {
    const nearly = fc.string({ unit: fc.constantFrom(...'0123456789abf:./%'), maxLength: 40 });
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(fc.string(), nearly, fc.ipV4(), fc.ipV6()), (text) => {
        const result = parseIp(text);
        if (result.ok) {
          taken++;
          expect(parseIp(result.value)).toEqual(result);
        } else expect(result.error.code).toBe('address-invalid');
      }),
    );
    expect(taken).toBeGreaterThan(10);
  });
});

describe('conversions', () => {
  const v4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
  const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 });

  it('go from bytes to text and back, and from bits and back', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), (bytes) => {
        const ip = ipFromBytes(bytes);
        expect(ipBytes(ip)).toEqual(bytes);
        expect(Ip(ip)).toBe(ip);
        expect(ipFromBits(family(ip), ipBits(ip))).toBe(ip);
      }),
    );
  });

  it('refuse bits that do not fit, and bytes that are too few or too many', () => {
    expect(() => ipFromBits(4, 1n << 32n)).toThrow('4294967296 does not fit an IPv4 address');
    expect(ipFromBits(6, 1n << 32n)).toBe('::1:0:0');
    expect(() => ipFromBits(6, 1n << 128n)).toThrow('does not fit an IPv6 address');
    for (const length of [0, 3, 5, 15, 17]) expect(() => ipFromBytes(new Uint8Array(length))).toThrow(`not ${length}`);
    expect(() => ipBytes('10.0.0' as Ip)).toThrow('not an address: 10.0.0');
  });
});
