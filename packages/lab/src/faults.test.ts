import { Prefix } from '@causeway/model';
import { milliseconds } from '@causeway/runtime';
import { expect, test } from 'vitest';
import { cutRules, healRules, quickRules, readFaults, slowRules, type Way, waysOf } from './faults.ts';
import { planLab } from './plan.ts';

test('rules, as a person would type them', async () => {
  const slow = slowRules({ host: 'h2', delay: milliseconds(20), loss: 0.5, dropAbove: 0 });
  const hole = slowRules({ host: 'h2', delay: milliseconds(0), loss: 0, dropAbove: 1400 });
  const pair: readonly Way[] = [
    ['h1', 'h2'],
    ['h2', 'h1'],
  ];
  const text = Object.entries({
    cut: cutRules(pair),
    heal: healRules(pair),
    slow,
    hole,
    quick: quickRules('h2'),
  })
    .map(([name, lines]) => `# ${name}\n${lines.join('\n')}\n`)
    .join('\n');
  await expect(text).toMatchFileSnapshot('golden/faults.txt');
});

test('what nft lists is what was done', () => {
  const listed = {
    nftables: [
      { metainfo: { version: '1.1.3', json_schema_version: 1 } },
      { table: { family: 'bridge', name: 'causeway-lab' } },
      {
        set: {
          name: 'cuts',
          elem: [
            { concat: ['h2', 'h1'] },
            { concat: ['h1', 'h2'] },
            { concat: ['h1', 'h10'] },
            { concat: ['h10', 'h1'] },
            { concat: ['h3', 'h1'] },
          ],
        },
      },
      { rule: { chain: 'cut', expr: [{ drop: null }] } },
      { rule: { chain: 'slow-h3', comment: 'delay 20 loss 0.5 above 1400', expr: [] } },
      { rule: { chain: 'slow-h3', expr: [] } },
    ],
  };
  expect(readFaults(JSON.stringify(listed))).toEqual({
    cuts: [
      ['h1', 'h10'],
      ['h1', 'h2'],
      ['h10', 'h1'],
      ['h2', 'h1'],
      ['h3', 'h1'],
    ],
    slow: [{ host: 'h3', delay: 20, loss: 0.5, dropAbove: 1400 }],
  });
});

test.each([
  ['no table', { nftables: [{ metainfo: {} }] }],
  ['an empty set, which nft lists without elements', { nftables: [{ set: { name: 'cuts' } }] }],
])('%s: nothing is wrong', (_, listed) => {
  expect(readFaults(JSON.stringify(listed))).toEqual({ cuts: [], slow: [] });
});

test('the ways of a cut', () => {
  const shape = {
    name: 't',
    hosts: 3,
    managers: 1,
    etcd: 'separate',
    mtu: 1500,
    subnet: Prefix('10.90.0.0/24'),
  } as const;
  const ways = (cut: Parameters<typeof waysOf>[1]): string => {
    return waysOf(planLab(shape), cut)
      .map((way) => way.join('>'))
      .join(' ');
  };
  expect(ways({ a: 'h1', b: 'h2', oneWay: false })).toBe('h1>h2 h2>h1');
  expect(ways({ a: 'h1', b: 'h2', oneWay: true })).toBe('h1>h2');
  expect(ways({ a: 'h2', oneWay: false })).toBe('h2>h1 h1>h2 h2>h3 h3>h2');
  expect(ways({ a: 'h2', oneWay: true })).toBe('h2>h1 h2>h3');
  expect(() => ways({ a: 'h2', b: 'h2', oneWay: true })).toThrow(/are the same host of lab t/);
  expect(() => ways({ a: 'h9', oneWay: true })).toThrow(/no host "h9"/);
});
