import type { Name, NodeId } from '@causeway/model';
import { expect, test } from 'vitest';
import type { RotatingHost, RotationState } from '../plan/rotate-keys.ts';
import { rotationProgress } from './rotation-progress.ts';

const host = (name: string, state: RotationState): RotatingHost => {
  return { node: name as NodeId, name: name as Name, former: 1, state };
};

/** users: of a host's former key. */
function progress(hosts: RotatingHost[], silent: string[] = [], users: Record<string, string[]> = {}) {
  return rotationProgress(hosts, {
    isSilent: (node) => silent.includes(node),
    usersOfKeys: (node) => (users[node] ?? []) as NodeId[],
    nameOf: (node) => node,
  });
}

test.each<[string, ReturnType<typeof progress>, ReturnType<typeof progress>]>([
  [
    'all have rotated',
    progress([host('h1', 'rotated'), host('h2', 'rotated')]),
    { rotated: 2, total: 2, waiting: [], unreachable: [], done: true },
  ],
  [
    'some are waited for',
    progress([host('h1', 'changing'), host('h2', 'former'), host('h3', 'changing')], [], { h1: ['h2'] }),
    {
      ...{ rotated: 0, total: 3, unreachable: [], done: false },
      waiting: [
        'h1: h2 still uses its former key',
        'h2: has not made a new key',
        'h3: has not withdrawn its former key',
      ],
    },
  ],
  [
    'only hosts without a session hold it up',
    progress([host('h1', 'changing'), host('h2', 'former')], ['h2'], { h1: ['h2'] }),
    {
      ...{ rotated: 0, total: 2, unreachable: ['h2'], done: true },
      waiting: ['h1: h2, which has no session, still uses its former key', 'h2: has no session'],
    },
  ],
  [
    'a host with a session holds it up, too',
    progress([host('h1', 'changing')], ['h2'], { h1: ['h2', 'h3'] }),
    {
      ...{ rotated: 0, total: 1, unreachable: ['h2'], done: false },
      waiting: ['h1: h2, which has no session, still uses its former key', 'h1: h3 still uses its former key'],
    },
  ],
])('%s', (_, found, expected) => expect(found).toEqual(expected));

test('an answer names ten at most', () => {
  const hosts = Array.from({ length: 50 }, (_, i) => host(`h${i}`, 'former'));
  expect(progress(hosts).waiting).toHaveLength(10);
});
