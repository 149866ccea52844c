import { type EndpointId, Ip, type Name, type NodeId, nthAddress, Prefix, sizeOf } from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Claim, Claimed } from '../store/records/claim.ts';
import { SubnetAddresses, type SubnetOptions } from './subnet-addresses.ts';

/** Takes addresses until no address is free. */
function drain(subnet: SubnetAddresses, most = 300): Ip[] {
  const given: Ip[] = [];
  for (let ip = subnet.lowestFree(); ip !== undefined && given.length < most; ip = subnet.lowestFree()) {
    subnet.take(ip);
    given.push(ip);
  }
  return given;
}

const endpoint = 'e000000000000001' as EndpointId;
const claimed = (claim: Claim, created = 1n): Claimed => ({ claim, created, revision: created });
const cooling = claimed({ kind: 'cooling', endpointName: 'a' as Name, node: 'a000000000000001' as NodeId });

interface Case {
  readonly name: string;
  readonly prefix: string;
  readonly options?: SubnetOptions;
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
  {
    name: 'auxiliary addresses are not given',
    prefix: '10.0.0.0/29',
    options: { auxAddresses: { printer: Ip('10.0.0.2'), door: Ip('10.0.0.6') } },
    gives: ['10.0.0.1', '10.0.0.3', '10.0.0.4', '10.0.0.5'],
  },
  { name: 'IPv6 keeps its first only', prefix: 'fd00::/126', gives: ['fd00::1', 'fd00::2', 'fd00::3'] },
  { name: '/127 gives both (RFC 6164)', prefix: 'fd00::8/127', gives: ['fd00::8', 'fd00::9'] },
  {
    name: 'ranges in the order they are named',
    prefix: '10.0.0.0/24',
    options: { ranges: [Prefix('10.0.0.254/31'), Prefix('10.0.0.8/31')] },
    gives: ['10.0.0.254', '10.0.0.8', '10.0.0.9'],
  },
];

describe('SubnetAddresses', () => {
  test.each(cases)('$name', ({ prefix, options, gives }) => {
    const subnet = new SubnetAddresses(Prefix(prefix), options);
    expect(drain(subnet)).toEqual(gives);
    expect(subnet.lowestFree()).toBeUndefined();
  });

  test('counts what endpoints can have and have', () => {
    const subnet = new SubnetAddresses(Prefix('10.0.0.0/24'), { gateway: Ip('10.0.0.1') });
    expect(subnet.use).toMatchObject({ size: 253n, used: 0n, reserved: 0n, cooling: 0n });
    subnet.account(Ip('10.0.0.1'), undefined, claimed({ kind: 'gateway' }));
    const first = claimed({ kind: 'endpoint', endpoint, asked: false });
    subnet.account(Ip('10.0.0.9'), undefined, first);
    subnet.account(Ip('10.0.0.10'), undefined, claimed({ kind: 'reservation', purpose: 'printer' }));
    subnet.account(Ip('10.0.0.11'), undefined, first);
    subnet.account(Ip('10.0.0.11'), first, cooling);
    expect(subnet.use).toMatchObject({ size: 253n, used: 1n, reserved: 1n, cooling: 1n });
    subnet.account(Ip('10.0.0.11'), cooling, undefined);
    expect(subnet.use).toMatchObject({ size: 253n, used: 1n, reserved: 1n, cooling: 0n });
  });

  test('never gives back what it must not give', () => {
    const subnet = new SubnetAddresses(Prefix('10.0.0.0/30'), { gateway: Ip('10.0.0.1') });
    for (const ip of ['10.0.0.0', '10.0.0.1', '10.0.0.3']) subnet.giveBack(Ip(ip));
    expect(drain(subnet)).toEqual(['10.0.0.2']);
    expect(subnet.reservation(Ip('10.0.0.0'))).toBe('network address');
    expect(subnet.reservation(Ip('10.0.0.1'))).toBe('gateway');
    expect(subnet.reservation(Ip('10.0.0.3'))).toBe('broadcast address');
    expect(subnet.reservation(Ip('10.0.0.2'))).toBeUndefined();
  });

  test('finds free addresses past 2^63', () => {
    const prefix = Prefix('fd00::/8');
    const far = nthAddress(prefix, 1n << 100n);
    const subnet = new SubnetAddresses(prefix);
    subnet.take(far);
    expect(subnet.isTaken(far)).toBe(true);
    expect(subnet.freeAt(1n << 100n)).toBeUndefined();
    expect(subnet.lowestFree(1n << 100n)).toBe(nthAddress(prefix, (1n << 100n) + 1n));
    expect(subnet.capacity).toBe((1n << 120n) - 1n);
  });

  test('holds an address exactly as the plain way does', () => {
    const prefixes = fc.constantFrom('10.0.0.0/28', '10.0.0.0/30', '10.0.0.0/31', 'fd00::/124', 'fd00::/127');
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(15)), { maxLength: 60 });
    fc.assert(
      fc.property(prefixes, steps, (text, history) => {
        const prefix = Prefix(text);
        const subnet = new SubnetAddresses(prefix);
        const all = Array.from({ length: Number(sizeOf(prefix)) }, (_, i) => nthAddress(prefix, BigInt(i)));
        const taken = new Set(all.filter((ip) => subnet.reservation(ip) !== undefined));
        for (const [takes, at] of history) {
          const ip = all[at % all.length] ?? all[0];
          if (ip === undefined || subnet.reservation(ip) !== undefined) continue;
          if (takes) subnet.take(ip);
          else subnet.giveBack(ip);
          if (takes) taken.add(ip);
          else taken.delete(ip);
          expect(subnet.lowestFree()).toBe(all.find((candidate) => !taken.has(candidate)));
          expect(subnet.isTaken(ip)).toBe(taken.has(ip));
        }
      }),
    );
  });
});

/**
 * The obvious implementation of the order: every address in the order of the ranges, beginning after the newest choice.
 */
class Turns {
  readonly order: readonly Ip[];
  readonly taken = new Set<Ip>();
  newest: Ip | undefined;

  constructor(subnet: SubnetAddresses, ranges: readonly Prefix[]) {
    this.order = ranges.flatMap((range) =>
      Array.from({ length: Number(sizeOf(range)) }, (_, i) => nthAddress(range, BigInt(i))),
    );
    for (const ip of this.order) if (subnet.reservation(ip) !== undefined) this.taken.add(ip);
  }

  get free(): readonly Ip[] {
    const at = this.newest === undefined ? 0 : this.order.indexOf(this.newest) + 1;
    return [...this.order.slice(at), ...this.order.slice(0, at)].filter((ip) => !this.taken.has(ip));
  }
}

describe('the turn', () => {
  const ranges = { ranges: [Prefix('10.0.0.12/30'), Prefix('10.0.0.4/31')] };
  const next = (choices: readonly (readonly [string, Claim])[]): Ip | undefined => {
    const subnet = new SubnetAddresses(Prefix('10.0.0.0/27'), ranges);
    for (const [i, [ip, claim]] of choices.entries()) {
      subnet.take(Ip(ip));
      subnet.account(Ip(ip), undefined, claimed(claim, BigInt(i + 1)));
    }
    return subnet.inTurn().next().value ?? undefined;
  };
  const chosen: Claim = { kind: 'endpoint', endpoint, asked: false };

  test.each<[string, readonly (readonly [string, Claim])[], string]>([
    ['begins with the first range', [], '10.0.0.12'],
    [
      'goes on after the newest choice',
      [
        ['10.0.0.12', chosen],
        ['10.0.0.13', chosen],
      ],
      '10.0.0.14',
    ],
    ['goes on in the next range after the last address of a range', [['10.0.0.15', chosen]], '10.0.0.4'],
    ['goes on after the first address of a range', [['10.0.0.4', chosen]], '10.0.0.5'],
    ['begins again after the last address of the last range', [['10.0.0.5', chosen]], '10.0.0.12'],
    ['is not moved by a reservation', [['10.0.0.13', { kind: 'reservation', purpose: 'printer' }]], '10.0.0.12'],
    ['is not moved by an address that was asked for', [['10.0.0.13', { ...chosen, asked: true }]], '10.0.0.12'],
    ['is moved by an address that cools', [['10.0.0.13', cooling.claim]], '10.0.0.14'],
  ])('%s', (_, choices, expected) => expect(next(choices)).toBe(expected));
});

describe('turns', () => {
  const shapes: readonly (readonly [string, SubnetOptions])[] = [
    ['10.0.0.0/28', { gateway: Ip('10.0.0.1') }],
    ['10.0.0.0/28', { ranges: [Prefix('10.0.0.12/30'), Prefix('10.0.0.4/31'), Prefix('10.0.0.9/32')] }],
    ['10.0.0.0/31', {}],
    ['fd00::/124', { auxAddresses: { a: Ip('fd00::3') }, ranges: [Prefix('fd00::2/127'), Prefix('fd00::8/125')] }],
    ['fd00::8/127', {}],
  ];
  const steps = fc.array(fc.record({ act: fc.constantFrom('next', 'next', 'ask', 'free'), at: fc.nat(15) }), {
    maxLength: 80,
  });

  test('go on after the newest choice and wrap, exactly as the plain way does, also for who begins in the middle', () => {
    let freedNewest = 0;
    fc.assert(
      fc.property(fc.constantFrom(...shapes), steps, ([text, options], history) => {
        const prefix = Prefix(text);
        const subnet = new SubnetAddresses(prefix, options);
        const oracle = new Turns(subnet, options.ranges ?? [prefix]);
        const claims = new Map<Ip, Claimed>();
        let revision = 1n;
        const claim = (ip: Ip, asked: boolean): void => {
          const made = claimed({ kind: 'endpoint', endpoint, asked }, ++revision);
          subnet.take(ip);
          subnet.account(ip, undefined, made);
          claims.set(ip, made);
          oracle.taken.add(ip);
          if (!asked) oracle.newest = ip;
        };
        for (const { act, at } of history) {
          const free = oracle.free;
          expect([...subnet.inTurn()]).toEqual(free);
          const [next] = free;
          const asked = free[at % (free.length || 1)];
          const [gone, before] = [...claims][at % (claims.size || 1)] ?? [];
          if (act === 'next' && next !== undefined) claim(next, false);
          else if (act === 'ask' && asked !== undefined) claim(asked, true);
          else if (act === 'free' && gone !== undefined) {
            // Also frees the newest choice: the subnet that made the choice continues after it all the same.
            if (gone === oracle.newest) freedNewest++;
            subnet.giveBack(gone);
            subnet.account(gone, before, undefined);
            claims.delete(gone);
            oracle.taken.delete(gone);
          }
        }
        const successor = new SubnetAddresses(prefix, options);
        for (const [ip, made] of [...claims].sort()) {
          successor.take(ip);
          successor.account(ip, undefined, made);
        }
        // A successor does not know choices that were freed: it continues after the newest choice that still stands.
        const standing = [...claims].filter(([, { claim: of }]) => of.kind === 'endpoint' && !of.asked);
        oracle.newest = standing.sort(([, a], [, b]) => Number(b.created - a.created))[0]?.[0];
        expect([...successor.inTurn()]).toEqual(oracle.free);
        expect(successor.use).toEqual(subnet.use);
        expect(successor.useOfRanges).toEqual(subnet.useOfRanges);
      }),
    );
    expect(freedNewest).toBeGreaterThan(10);
  });
});
