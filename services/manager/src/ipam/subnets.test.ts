import { Ip, type Name, type NetworkId, Prefix, type Subnet } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { createNetwork } from '../plan/create-network.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { refusal } from '../testing/refusal.ts';
import { checkDisjoint, completeSubnets } from './subnets.ts';

const subnet = (prefix: string, auxCount = 0): Subnet => {
  const names = Array.from({ length: auxCount }, (_, i) => [`aux${i}`, Ip(prefix.replace(/\.0\/.*/, `.${i + 9}`))]);
  return { prefix: Prefix(prefix), ...(auxCount > 0 && { auxAddresses: Object.fromEntries(names) }) };
};
const many = (count: number): Subnet[] => Array.from({ length: count }, (_, i) => subnet(`10.${i}.0.0/24`));

describe('the subnets of a request', () => {
  test.each<[string, readonly Subnet[], readonly Subnet[]]>([
    ['the only one', [subnet('10.1.0.0/24')], []],
    ['as many as a network may have', many(16), []],
    ['as many as a network may have, with those that it has', many(15), [subnet('10.99.0.0/24')]],
    ['next to each other', [subnet('10.1.0.0/24'), subnet('10.1.1.0/24')], [subnet('10.1.2.0/24')]],
    ['with as many auxiliary addresses as may be', [subnet('10.1.0.0/24', 20)], [subnet('10.2.0.0/24', 4)]],
  ])('are accepted: %s', (_, asked, beside) => {
    expect(completeSubnets(asked, 'none', { field: 'subnets', beside })).toEqual(asked);
  });

  test.each<[string, readonly Subnet[], readonly Subnet[], string, string]>([
    ['none', [], [], 'subnet-missing', 'subnets: a network needs at least one subnet'],
    ['too many', many(17), [], 'invalid-argument', 'subnets: 17 subnets are too many'],
    ['too many, with those that it has', many(16), [subnet('10.99.0.0/24')], 'invalid-argument', '17 subnets'],
    [
      'too many auxiliary addresses',
      [subnet('10.1.0.0/24', 20)],
      [subnet('10.2.0.0/24', 5)],
      'invalid-argument',
      'subnets: 25 auxiliary addresses are too many',
    ],
    [
      'two that overlap',
      [subnet('10.3.0.0/24'), subnet('10.1.0.0/16'), subnet('10.1.9.0/24')],
      [],
      'subnet-overlap',
      'subnets[2] 10.1.9.0/24 overlaps subnets[1] 10.1.0.0/16',
    ],
    [
      'one that overlaps a subnet of the network',
      [subnet('10.1.9.0/24')],
      [subnet('10.1.0.0/16')],
      'subnet-overlap',
      'subnets[0] 10.1.9.0/24 overlaps 10.1.0.0/16 of the same network',
    ],
  ])('are refused: %s', (_, asked, beside, code, says) => {
    const error = refusal(() => completeSubnets(asked, 'none', { field: 'subnets', beside }));
    expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringContaining(says) });
  });
});

describe('the subnets of two networks', () => {
  let desk: PlanHarness;
  let blue: NetworkId;
  const space = 'default' as Name;

  beforeEach(() => {
    desk = new PlanHarness(new SeededRandom(1));
    blue = desk.make(createNetwork(plainNetwork('blue', ['10.1.0.0/16', 'fd01::/64']))).id;
  });

  test('of one address space do not overlap: the refusal names both', () => {
    const asked = [subnet('10.2.0.0/16'), subnet('10.1.7.0/24')];
    const error = refusal(() => checkDisjoint(desk.view, { addressSpace: space }, asked, 'add_subnets'));
    expect(error).toMatchObject({
      code: 'subnet-overlap',
      message: 'add_subnets[1] 10.1.7.0/24 overlaps 10.1.0.0/16 of network "blue" in address space "default"',
      data: { field: 'add_subnets[1]', value: '10.1.7.0/24', network: 'blue' },
    });
    expect(refusal(() => checkDisjoint(desk.view, { addressSpace: space }, [subnet('fd01::/48')])).message).toContain(
      'subnets[0] fd01::/48 overlaps fd01::/64',
    );
  });

  test.each<[string, () => { addressSpace: Name; id?: NetworkId }, string]>([
    ['of two address spaces', () => ({ addressSpace: 'other' as Name }), '10.1.0.0/16'],
    ['of a network and itself', () => ({ addressSpace: space, id: blue }), '10.1.0.0/16'],
    ['one before the other', () => ({ addressSpace: space }), '10.0.0.0/16'],
    ['one after the other', () => ({ addressSpace: space }), '10.2.0.0/16'],
  ])('may be these: %s', (_, who, prefix) => {
    expect(() => checkDisjoint(desk.view, who(), [subnet(prefix)])).not.toThrow();
  });

  test('are checked each time, also after the first', () => {
    for (let time = 0; time < 2; time++)
      expect(() => checkDisjoint(desk.view, { addressSpace: space }, [subnet('10.0.0.0/8')])).toThrow(/overlaps/);
  });
});
