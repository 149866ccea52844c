import { type Difference, hostNetns, type NetnsPath } from '@causeway/datapath';
import { expect, it } from 'vitest';
import { driftOf, unreadable } from './drift.ts';

const overlay = '/run/netns/cw-00000000aa' as NetnsPath;
const web = '/run/netns/web' as NetnsPath;
const difference = (over: Partial<Difference>): Difference => {
  return { ...({ netns: overlay, kind: 'fdb', key: 'k', actual: 'absent', desired: 'x' } as const), ...over };
};

it.each<[string, Partial<Difference>, object]>([
  ['of an overlay, with its key alone', {}, { kind: 'fdb', key: 'k', actual: '', desired: 'x' }],
  ["of the host's own namespace, with its key alone", { netns: hostNetns }, { key: 'k' }],
  ['in a container, with the namespace', { netns: web }, { key: `${web} k` }],
  ['of the namespace itself, with its key alone', { netns: web, kind: 'netns', key: web }, { key: web }],
  ['that is too much', { actual: 'y', desired: 'absent' }, { actual: 'y', desired: '' }],
])('a difference is reported: %s', (_, over, expected) => {
  expect(driftOf('h1', 'blue', difference(over))).toMatchObject({ host: 'h1', network: 'blue', ...expected });
});

it.each<[string, { watched?: NetnsPath }, unknown, NetnsPath, string]>([
  ['a network', { watched: overlay }, new Error('EMFILE'), overlay, 'cannot be read: EMFILE'],
  ['the host', {}, 'no answer', hostNetns, 'cannot be read: no answer'],
])('a scope that cannot be read is one difference: %s', (_, scope, error, netns, actual) => {
  expect(unreadable(scope, error)).toEqual({ netns, kind: 'netns', key: netns, actual, desired: 'present' });
});
