import { describe, expect, it } from 'vitest';
import { addDigest, removeDigest, rowDigest } from './digest.ts';
import type { EndpointRow } from './endpoint.ts';
import { type EndpointId, type Name, type NodeId, parseName, parseNodeId, parseRequestId } from './id.ts';
import { Ip } from './ip.ts';
import { Mac, macBytes, macForIp, macFromBytes, parseMac } from './mac.ts';
import { InterfaceAddress } from './prefix.ts';
import { parseVni } from './vni.ts';

describe('parseName', () => {
  it.each(['a', 'web', 'web-1', 'Web_1.x', 'a'.repeat(63)])('takes %s', (text) =>
    expect(parseName(text).ok).toBe(true),
  );
  it.each(['', '-a', 'a-', '.a', 'a b', 'a/b', 'ä', 'a'.repeat(64)])('refuses %j', (text) => {
    expect(parseName(text, 'network')).toMatchObject({
      ok: false,
      error: { code: 'name-invalid', data: { field: 'network' } },
    });
  });
});

describe('identifiers', () => {
  it('are 16 lower-case hex digits', () => {
    expect(parseNodeId('0123456789abcdef').ok).toBe(true);
    expect(parseNodeId('0123456789ABCDEF').ok).toBe(false);
    expect(parseNodeId('../../etc/passwd').ok).toBe(false);
  });

  it('of requests are lower-case UUIDs', () => {
    expect(parseRequestId('3b241101-e2bb-4255-8caf-4136c566a962').ok).toBe(true);
    expect(parseRequestId('3B241101-E2BB-4255-8CAF-4136C566A962').ok).toBe(false);
  });
});

describe('a MAC', () => {
  it.each([
    ['10.66.0.9', '02:42:0a:42:00:09'],
    ['fd66::9', '02:43:00:00:00:09'],
  ])('for %s is %s', (ip, mac) => expect(macForIp(Ip(ip))).toBe(mac));

  it('goes to bytes and back', () => {
    const mac = Mac('02:42:0A:42:00:09');
    expect(macFromBytes(macBytes(mac))).toBe('02:42:0a:42:00:09');
    expect(parseMac('02:42:0a:42:00')).toMatchObject({ ok: false });
  });
});

describe('parseVni', () => {
  it.each([1, 4096, 0xffffff])('takes %d', (value) => expect(parseVni(value).ok).toBe(true));
  it.each([0, -1, 1.5, 0x1000000, Number.NaN])('refuses %d', (value) => expect(parseVni(value).ok).toBe(false));
});

describe('a digest', () => {
  const row = (id: string, address = '10.66.0.9/16'): EndpointRow => ({
    id: id as EndpointId,
    name: 'web' as Name,
    node: 'n1' as NodeId,
    addresses: [InterfaceAddress(address)],
    mac: Mac('02:42:0a:42:00:09'),
    vtep: Ip('10.90.0.1'),
  });

  it('does not depend on order and comes back when a row is taken out', () => {
    const [a, b] = [rowDigest(row('a')), rowDigest(row('b'))];
    expect(addDigest(addDigest(0n, a), b)).toBe(addDigest(addDigest(0n, b), a));
    expect(removeDigest(addDigest(a, b), b)).toBe(a);
    expect(removeDigest(0n, a)).toBe(BigInt.asUintN(64, -a));
  });

  it('differs when any field does, and over many rows', () => {
    const seen = new Set<bigint>([rowDigest(row('a')), rowDigest(row('a', '10.66.0.8/16'))]);
    for (let i = 0; i < 20_000; i++) seen.add(rowDigest(row(`id-${i}`)));
    expect(seen.size).toBe(20_002);
  });
});
