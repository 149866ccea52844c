import { Ip, nthAddress, Prefix, sizeOf } from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Pool, type PoolOptions } from './pool.ts';

/** Takes addresses until there is none. */
function drain(pool: Pool, most = 300): Ip[] {
  const given: Ip[] = [];
  for (let ip = pool.lowestFree(); ip !== undefined && given.length < most; ip = pool.lowestFree()) {
    pool.take(ip);
    given.push(ip);
  }
  return given;
}

interface Case {
  readonly name: string;
  readonly prefix: string;
  readonly options?: PoolOptions;
  readonly gives: readonly string[];
}

const cases: readonly Case[] = [
  { name: 'IPv4 keeps its first and last', prefix: '10.0.0.0/30', gives: ['10.0.0.1', '10.0.0.2'] },
  {
    name: 'a gateway is not given',
    prefix: '10.0.0.0/29',
    options: { gateway: Ip('10.0.0.3') },
    gives: ['10.0.0.1', '10.0.0.2', '10.0.0.4', '10.0.0.5', '10.0.0.6'],
  },
  { name: '/31 gives both (RFC 3021)', prefix: '10.0.0.0/31', gives: ['10.0.0.0', '10.0.0.1'] },
  { name: '/32 gives itself', prefix: '10.0.0.7/32', gives: ['10.0.0.7'] },
  { name: 'IPv6 keeps its first only', prefix: 'fd00::/126', gives: ['fd00::1', 'fd00::2', 'fd00::3'] },
  { name: '/127 gives both (RFC 6164)', prefix: 'fd00::8/127', gives: ['fd00::8', 'fd00::9'] },
  {
    name: 'ranges in the order they are named',
    prefix: '10.0.0.0/24',
    options: { ranges: [Prefix('10.0.0.254/31'), Prefix('10.0.0.8/31')] },
    gives: ['10.0.0.254', '10.0.0.8', '10.0.0.9'],
  },
];

describe('Pool', () => {
  test.each(cases)('$name', ({ prefix, options, gives }) => {
    const pool = new Pool(Prefix(prefix), options);
    expect(drain(pool)).toEqual(gives);
    expect(pool.lowestFree()).toBeUndefined();
  });

  test('counts what endpoints can have and have', () => {
    const pool = new Pool(Prefix('10.0.0.0/24'), { gateway: Ip('10.0.0.1') });
    expect(pool.capacity).toBe(253n);
    pool.take(Ip('10.0.0.1'));
    expect(pool.used).toBe(0n);
    pool.take(Ip('10.0.0.9'));
    pool.take(Ip('10.0.0.9'));
    expect(pool.used).toBe(1n);
    expect(drain(pool)).toHaveLength(252);
    expect(pool.used).toBe(253n);
  });

  test('never gives back what it must not give', () => {
    const pool = new Pool(Prefix('10.0.0.0/30'), { gateway: Ip('10.0.0.1') });
    for (const ip of ['10.0.0.0', '10.0.0.1', '10.0.0.3']) pool.giveBack(Ip(ip));
    expect(drain(pool)).toEqual(['10.0.0.2']);
    expect(pool.reservation(Ip('10.0.0.0'))).toBe('network address');
    expect(pool.reservation(Ip('10.0.0.1'))).toBe('gateway');
    expect(pool.reservation(Ip('10.0.0.3'))).toBe('broadcast address');
    expect(pool.reservation(Ip('10.0.0.2'))).toBeUndefined();
  });

  test('finds free addresses past 2^63', () => {
    const prefix = Prefix('fd00::/8');
    const far = nthAddress(prefix, 1n << 100n);
    const pool = new Pool(prefix);
    pool.take(far);
    expect(pool.isTaken(far)).toBe(true);
    expect(pool.freeAt(1n << 100n)).toBeUndefined();
    expect(pool.lowestFree(1n << 100n)).toBe(nthAddress(prefix, (1n << 100n) + 1n));
    expect(pool.capacity).toBe((1n << 120n) - 1n);
  });

  test('holds an address exactly as the plain way does', () => {
    const prefixes = fc.constantFrom('10.0.0.0/28', '10.0.0.0/30', '10.0.0.0/31', 'fd00::/124', 'fd00::/127');
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(15)), { maxLength: 60 });
    fc.assert(
      fc.property(prefixes, steps, (text, history) => {
        const prefix = Prefix(text);
        const pool = new Pool(prefix);
        const all = Array.from({ length: Number(sizeOf(prefix)) }, (_, i) => nthAddress(prefix, BigInt(i)));
        const taken = new Set(all.filter((ip) => pool.reservation(ip) !== undefined));
        for (const [takes, at] of history) {
          const ip = all[at % all.length] ?? all[0];
          if (ip === undefined || pool.reservation(ip) !== undefined) continue;
          if (takes) pool.take(ip);
          else pool.giveBack(ip);
          if (takes) taken.add(ip);
          else taken.delete(ip);
          expect(pool.lowestFree()).toBe(all.find((candidate) => !taken.has(candidate)));
          expect(pool.isTaken(ip)).toBe(taken.has(ip));
        }
      }),
    );
  });
});
