import { describe, expect, it } from 'vitest';
import { parseName, parseNodeId, parseRequestId } from './id.ts';
import { Ip } from './ip.ts';
import { isGroup, Mac, macBytes, macForIp, macFromBytes, parseMac } from './mac.ts';
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

  it('is read from anywhere in a message', () => {
    expect(macFromBytes(Uint8Array.of(9, 9, 2, 0x42, 10, 0x42, 0, 9, 9), 2)).toBe('02:42:0a:42:00:09');
  });

  it.each([
    ['02:42:0a:42:00:09', false],
    ['01:00:5e:00:00:01', true],
    ['33:33:00:00:00:01', true],
    ['ff:ff:ff:ff:ff:ff', true],
    ['00:00:00:00:00:00', true],
    ['00:00:00:00:00:01', false],
  ])('%s stands for a group: %s', (mac, expected) => expect(isGroup(Mac(mac))).toBe(expected));
});

describe('parseVni', () => {
  it.each([1, 4096, 0xffffff])('takes %d', (value) => expect(parseVni(value).ok).toBe(true));
  it.each([0, -1, 1.5, 0x1000000, Number.NaN])('refuses %d', (value) => expect(parseVni(value).ok).toBe(false));
});
