import { describe, expect, it } from 'vitest';
import type { StoreMemberStatus } from './membership.ts';
import { type MembershipRequest, planMembership, quorum } from './plan-membership.ts';

const url = (host: number): string => `http://10.0.0.${host}:2380`;

function member(host: number, state: Partial<StoreMemberStatus> = {}): StoreMemberStatus {
  const place = { id: `id${host}`, name: `m${host}`, peerUrls: [url(host)], clientUrls: [] };
  const condition = { leader: host === 1, size: 1, sizeInUse: 1, revision: 1n, lag: 0n, alarms: [] };
  return { ...place, ...condition, learner: false, healthy: true, ...state };
}

const down = { healthy: false };
const learner = { learner: true };
const unstarted = { learner: true, name: '', healthy: false };
const join = (host: number, extra: { name?: string; peerUrl?: string; added?: string } = {}): MembershipRequest => ({
  kind: 'join',
  name: `m${host}`,
  peerUrl: url(host),
  ...extra,
});
const remove = (host: number, force = false): MembershipRequest => ({ kind: 'remove', name: `m${host}`, force });

describe('planMembership: join', () => {
  const one = [member(1)];
  it.each<[string, StoreMemberStatus[], MembershipRequest, unknown]>([
    ['the second member is added', one, join(2), { kind: 'add', peerUrl: url(2) }],
    [
      'what this attempt added is started, by its own name among all',
      [member(1), member(2, unstarted)],
      join(2, { added: 'id2' }),
      { kind: 'start', id: 'id2', initialCluster: `m1=${url(1)},m2=${url(2)}` },
    ],
    [
      'a voter that never started has its id for a name',
      [member(1), member(3, { name: '' }), member(2, unstarted)],
      join(2, { added: 'id2' }),
      { kind: 'start', id: 'id2', initialCluster: `m1=${url(1)},id3=${url(3)},m2=${url(2)}` },
    ],
    ['another joins: waits', [member(1), member(3, learner)], join(2), { kind: 'wait', learner: member(3, learner) }],
    [
      'another was added and has not started: waits too',
      [member(1), member(3, unstarted)],
      join(2),
      { kind: 'wait', learner: member(3, unstarted) },
    ],
    [
      'left over at our address, never started: goes',
      [member(1), member(2, unstarted)],
      join(2),
      { kind: 'remove', id: 'id2' },
    ],
    ['left over, had started: goes', [member(1), member(2, learner)], join(2), { kind: 'remove', id: 'id2' }],
    [
      'left over with our name at another address: goes',
      [member(1), member(2, learner)],
      join(2, { peerUrl: url(9) }),
      { kind: 'remove', id: 'id2' },
    ],
    [
      'the voter that we were before our data were lost: goes, so that we come back as another member',
      [member(1), member(2, down), member(3)],
      join(2),
      { kind: 'remove', id: 'id2' },
    ],
    [
      'the same of five, with another one down',
      [member(1), member(2, down), member(3), member(4, down), member(5)],
      join(2),
      { kind: 'remove', id: 'id2' },
    ],
    [
      'a member being down is no obstacle',
      [member(1), member(2), member(3, down)],
      join(4),
      { kind: 'add', peerUrl: url(4) },
    ],
  ])('%s', (_, members, request, step) => {
    expect(planMembership(members, request)).toEqual({ ok: true, value: step });
  });

  const loopback = 'http://127.0.0.1:2380';
  it.each<[string, StoreMemberStatus[], MembershipRequest, string, RegExp]>([
    [
      'the name is a voter’s',
      [member(1), member(2)],
      join(2, { peerUrl: url(9) }),
      'name-taken',
      /--name m2.*remove m2/,
    ],
    [
      'the name and address are those of a voter that answers',
      [member(1), member(2)],
      join(2),
      'name-taken',
      /remove m2/,
    ],
    [
      'our data are lost and so is the majority',
      [member(1), member(2, down), member(3, down)],
      join(2),
      'quorum-loss',
      /m2 has lost its data.*1 of 3 etcd members are healthy, and 2 have to agree/,
    ],
    [
      'our data are lost, of two members: the other one cannot agree alone',
      [member(1), member(2, down)],
      join(2),
      'quorum-loss',
      /1 of 2/,
    ],
    [
      'a voter of our name is down at another address: it may be another host',
      [member(1), member(2, down), member(3)],
      join(2, { peerUrl: url(9) }),
      'name-taken',
      /remove m2/,
    ],
    [
      'a voter of another name is down at our address',
      [member(1), member(2, down), member(3)],
      join(2, { name: 'm9' }),
      'manager-exists',
      /m2/,
    ],
    [
      'the address is a voter’s',
      [member(1), member(2)],
      join(3, { peerUrl: url(2) }),
      'manager-exists',
      /another member at http:\/\/10\.0\.0\.2:2380 \(m2\)/,
    ],
    [
      'the cluster is on one host only',
      [member(1, { peerUrls: [loopback] })],
      join(2),
      'invalid-argument',
      /m1 is at http:\/\/127.*restart that manager with --etcd-peer-address/,
    ],
    [
      'the joiner is on its own host only',
      one,
      join(2, { peerUrl: loopback }),
      'invalid-argument',
      /no other host can reach/,
    ],
  ])('is refused when %s', (_, members, request, code, message) => {
    expect(planMembership(members, request)).toMatchObject({
      ok: false,
      error: { code, message: expect.stringMatching(message) },
    });
  });
});

describe('planMembership: remove', () => {
  it.each<[string, StoreMemberStatus[], MembershipRequest, string]>([
    ['one of three healthy', [member(1), member(2), member(3)], remove(1), 'id1'],
    ['one of two healthy', [member(1), member(2)], remove(2), 'id2'],
    ['the one that is down', [member(1), member(2), member(3, down)], remove(3), 'id3'],
    ['the one of two that is down, if its list was to be had', [member(1), member(2, down)], remove(2), 'id2'],
    ['a learner, whatever the rest', [member(1), member(2, down), member(3, learner)], remove(3), 'id3'],
    [
      'a healthy one of five with one down',
      [1, 2, 3, 4].map((n) => member(n)).concat(member(5, down)),
      remove(1),
      'id1',
    ],
    [
      'one that never started, by its id',
      [member(1), member(2, unstarted)],
      { kind: 'remove', name: 'id2', force: false },
      'id2',
    ],
    ['by force', [member(1), member(2), member(3, down)], remove(1, true), 'id1'],
  ])('%s', (_, members, request, id) => {
    expect(planMembership(members, request)).toEqual({ ok: true, value: { kind: 'remove', id } });
  });

  it.each<[string, StoreMemberStatus[], MembershipRequest, string, RegExp]>([
    [
      'a healthy one with another down',
      [member(1), member(2), member(3, down)],
      remove(1),
      'quorum-loss',
      /2 of 3 members are healthy; removing m1 leaves 1 healthy of 2, and 2 are needed/,
    ],
    ['the last one', [member(1)], remove(1), 'quorum-loss', /only voting member/],
    ['the last one, by force', [member(1), member(2, learner)], remove(1, true), 'quorum-loss', /only voting member/],
    [
      'a learner is no help',
      [member(1), member(2, down), member(3, learner)],
      remove(1),
      'quorum-loss',
      /1 of 2 members.*leaves 0 healthy of 1/,
    ],
    ['one that is not there', [member(1), member(2, unstarted)], remove(7), 'manager-unknown', /m7; there are m1, id2/],
  ])('is refused: %s', (_, members, request, code, message) => {
    expect(planMembership(members, request)).toMatchObject({
      ok: false,
      error: { code, message: expect.stringMatching(message) },
    });
  });

  it('counts a majority', () => {
    expect([1, 2, 3, 4, 5].map(quorum)).toEqual([1, 2, 2, 3, 3]);
  });
});
