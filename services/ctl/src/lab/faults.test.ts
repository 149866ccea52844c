import { milliseconds } from '@causeway/runtime';
import { expect, test } from 'vitest';
import { cutRules, healRules, quickRules, readFaults, slowRules } from './faults.ts';

test('rules, as a person would type them', async () => {
  const slow = slowRules({ host: 'h2', delay: milliseconds(20), loss: 0.5 });
  const text = Object.entries({
    cut: cutRules(['h1', 'h2']),
    heal: healRules(['h1', 'h2']),
    slow,
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
          ],
        },
      },
      { rule: { chain: 'cut', expr: [{ drop: null }] } },
      { rule: { chain: 'slow-h3', comment: 'delay 20 loss 0.5', expr: [] } },
      { rule: { chain: 'slow-h3', expr: [] } },
    ],
  };
  expect(readFaults(JSON.stringify(listed))).toEqual({
    cuts: [
      ['h1', 'h10'],
      ['h1', 'h2'],
    ],
    slow: [{ host: 'h3', delay: 20, loss: 0.5 }],
  });
});

test.each([
  ['no table', { nftables: [{ metainfo: {} }] }],
  ['an empty set, which nft lists without elements', { nftables: [{ set: { name: 'cuts' } }] }],
])('%s: nothing is wrong', (_, listed) => {
  expect(readFaults(JSON.stringify(listed))).toEqual({ cuts: [], slow: [] });
});
