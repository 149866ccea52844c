import type { Name, NodeId } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import type { RotatingHost, RotationState } from '../plan/rotate-keys.ts';
import { type Asked, askAgainAfter, hostsToAsk, mostAtOnce, patience } from './key-rotation-rule.ts';

const now = 1_000_000;
const id = (n: number): NodeId => `h${n}` as NodeId;

/** Hosts h0, h1, … in these states. */
const hosts = (...states: RotationState[]): RotatingHost[] =>
  states.map((state, n) => ({ node: id(n), name: id(n) as string as Name, former: 1, state }));

interface World {
  readonly atOnce?: boolean;
  /** How long ago each host was asked first and last, by number. */
  readonly asked?: Record<number, readonly [first: number, last: number]>;
  readonly silent?: readonly number[];
  /** Users of a host's former key, by number. */
  readonly users?: Record<number, readonly number[]>;
}

function ask(all: RotatingHost[], { atOnce = false, asked = {}, silent = [], users = {} }: World = {}): string {
  const before = new Map<NodeId, Asked>(
    Object.entries(asked).map(([n, [first, last]]) => [id(Number(n)), { first: now - first, last: now - last }]),
  );
  const reports = {
    silentSince: (node: NodeId) => (silent.some((n) => id(n) === node) ? 1 : undefined),
    usersOfKeys: (node: NodeId) => (users[Number(node.slice(1))] ?? []).map(id),
  };
  return hostsToAsk({ atOnce }, all, before, reports, now)
    .map(({ node }) => node)
    .join(' ');
}

const many = hosts(...Array.from({ length: 20 }, () => 'former' as const));
const first = (count: number): string =>
  many
    .slice(0, count)
    .map(({ node }) => node)
    .join(' ');

describe('hosts are asked', () => {
  test.each<[string, string, string]>([
    ['a few at a time', ask(many), first(mostAtOnce)],
    ['all at once, if so wanted', ask(many, { atOnce: true }), first(20)],
    ['one more when one has rotated', ask(hosts('rotated', 'former', 'former')), 'h1 h2'],
    ['not, when they have', ask(hosts('rotated', 'changing')), ''],
    ['not without a session', ask(hosts('former', 'former'), { silent: [0] }), 'h1'],
    ['not twice at once', ask(hosts('former'), { asked: { 0: [1, 1] } }), ''],
    ['again after a while', ask(hosts('former'), { asked: { 0: [askAgainAfter, askAgainAfter] } }), 'h0'],
    [
      'not again when they have made a key',
      ask(hosts('changing'), { asked: { 0: [askAgainAfter, askAgainAfter] } }),
      '',
    ],
  ])('%s', (_, found, expected) => expect(found).toBe(expected));

  const changing = hosts(...Array.from({ length: mostAtOnce }, () => 'changing' as const), 'former');
  const next = `h${mostAtOnce}`;
  test.each<[string, string, string]>([
    ['hosts that change take the room of others', ask(changing), ''],
    ['but not for longer than patience', ask(changing, { asked: { 3: [patience, 1] } }), next],
    ['nor when they lose their session', ask(changing, { silent: [2] }), next],
    ['nor when only hosts without a session hold them up', ask(changing, { silent: [9], users: { 4: [9] } }), next],
    ['unless others do, too', ask(changing, { silent: [9], users: { 4: [9, 5] } }), ''],
  ])('%s', (_, found, expected) => expect(found).toBe(expected));
});
