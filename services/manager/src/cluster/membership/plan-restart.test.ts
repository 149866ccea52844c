import { describe, expect, test } from 'vitest';
import type { StoreMemberStatus } from '../../store/store.ts';
import { planRestart, type RestartFacts, untrusting } from './plan-restart.ts';

const member = (name: string, fields: Partial<StoreMemberStatus> = {}): StoreMemberStatus => ({
  ...{ id: name, name, clientUrls: [], peerUrls: [], learner: false, healthy: true, leader: false, size: 1 },
  ...{ sizeInUse: 1, revision: 1n, lag: 0n, alarms: [] },
  ...fields,
});
const healthy = ['m1', 'm2', 'm3'].map((name) => member(name));

const running = (name: string, etcdTrust?: string) => ({
  ...{ name, etcdMember: name },
  ...(etcdTrust !== undefined && { etcdTrust }),
});

const facts = (fields: Partial<RestartFacts> = {}): RestartFacts => ({
  ...{ name: 'm2', trust: 'new', onDisk: 'new', ofEtcd: 'old' },
  managers: [running('m1', 'new'), running('m2', 'old'), running('m3', 'old')],
  ...fields,
});

describe('an etcd', () => {
  test.each<[string, RestartFacts, readonly StoreMemberStatus[], unknown]>([
    ['that has read the roots is left alone', facts({ ofEtcd: 'new' }), healthy, { kind: 'nothing' }],
    ['whose turn it is, is restarted', facts(), healthy, { kind: 'restart' }],
    [
      'is not restarted before its manager has the roots on disk',
      facts({ onDisk: 'old' }),
      healthy,
      { kind: 'wait', why: 'this manager does not have the roots of the cluster yet' },
    ],
    [
      'waits for those of managers with earlier names',
      facts({ name: 'm3' }),
      healthy,
      { kind: 'wait', why: 'the etcd of m2 is restarted first' },
    ],
    [
      'waits for a member that is not healthy',
      facts(),
      [member('m1', { healthy: false }), member('m2')],
      { kind: 'wait', why: 'the etcd member m1 is not healthy, and the others need a majority' },
    ],
    [
      'waits for a member that joins',
      facts(),
      [...healthy, member('m4', { learner: true })],
      { kind: 'wait', why: 'the etcd member m4 is not healthy, and the others need a majority' },
    ],
    [
      'does not wait for a manager of an earlier version',
      facts({ managers: [running('m1'), running('m2', 'old')] }),
      healthy,
      { kind: 'restart' },
    ],
    ['that is not known to have read them is restarted', facts({ ofEtcd: '' }), healthy, { kind: 'restart' }],
  ])('%s', (_, given, members, step) => {
    expect(planRestart(given, members)).toEqual(step);
  });
});

test('whatever dies when, one etcd is restarted at a time, and all in the end', () => {
  const trusts = new Map([
    ['m1', 'old'],
    ['m2', 'old'],
    ['m3', 'old'],
  ]);
  const order: string[] = [];
  const managers = () => [...trusts].map(([name, trust]) => running(name, trust));
  while (untrusting(managers(), 'new').length > 0) {
    const willing = [...trusts].flatMap(([name, ofEtcd]) => {
      const step = planRestart(facts({ name, ofEtcd, managers: managers() }), healthy);
      return step.kind === 'restart' ? [name] : [];
    });
    expect(willing).toHaveLength(1);
    for (const name of willing) trusts.set(name, 'new');
    order.push(...willing);
  }
  expect(order).toEqual(['m1', 'm2', 'm3']);
});
