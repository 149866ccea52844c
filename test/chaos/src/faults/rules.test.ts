import { expect, test } from 'vitest';
import { countedBy, dropRules, tableOf } from './rules.ts';

test('a manager is cut off from the client port of members elsewhere, its own member is not', () => {
  expect(dropRules('manager', ['10.0.0.2', '10.0.0.3']).split('\n')).toEqual([
    'add table inet chaos-manager',
    'add chain inet chaos-manager out { type filter hook output priority 0; }',
    'add chain inet chaos-manager in { type filter hook input priority 0; }',
    'add rule inet chaos-manager out ip daddr { 10.0.0.2, 10.0.0.3 } tcp dport 2379 counter drop',
    'add rule inet chaos-manager in ip saddr { 10.0.0.2, 10.0.0.3 } tcp sport 2379 counter drop',
    '',
  ]);
});

test('a member is cut off from its peers by both ends of their port', () => {
  const rules = dropRules('etcd', ['10.0.0.2']).split('\n').slice(3, -1);
  expect(rules.map((rule) => rule.replace(`add rule ${tableOf('etcd')} `, ''))).toEqual([
    'out ip daddr { 10.0.0.2 } tcp dport 2380 counter drop',
    'in ip saddr { 10.0.0.2 } tcp sport 2380 counter drop',
    'out ip daddr { 10.0.0.2 } tcp sport 2380 counter drop',
    'in ip saddr { 10.0.0.2 } tcp dport 2380 counter drop',
  ]);
});

test('what nft lists is counted over all rules', () => {
  const counter = (packets: number) => ({ counter: { packets, bytes: 60 * packets } });
  const listed = {
    nftables: [
      { metainfo: { version: '1.1.3' } },
      { chain: { name: 'cut' } },
      { rule: { expr: [{ match: {} }, counter(3), { drop: null }] } },
      { rule: { expr: [counter(4)] } },
      { rule: { expr: [{ drop: null }] } },
    ],
  };
  expect(countedBy(JSON.stringify(listed))).toBe(7);
  expect(countedBy('{"nftables":[]}')).toBe(0);
});
