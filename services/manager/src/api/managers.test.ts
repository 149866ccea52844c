import type { Name } from '@causeway/model';
import { type DescribeManagerResponse, Hosts } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { describe, expect, test } from 'vitest';
import type { KnownManager, ManagerRecord } from '../store/records/manager.ts';
import type { RegisteredManager, Versioned } from '../store/view.ts';
import { knownManagers, managerMessage, surveyOf } from './managers.ts';

const record = (name: string): ManagerRecord => ({
  name,
  address: `${name}:7443`,
  version: '1',
  etcdMember: '',
  schema: 1,
});
const registered = (...names: string[]): ReadonlyMap<Name, RegisteredManager> =>
  new Map(names.map((name) => [name as Name, { ...record(name), revision: 5n }]));
const known = (...names: string[]): ReadonlyMap<Name, Versioned<KnownManager>> =>
  new Map(names.map((name) => [name as Name, { value: { ...record(name), goneAt: 1_000 }, revision: 5n }]));
const self = { name: 'm2', address: 'm2:7443', schema: 1 };
const leader = { name: 'm1', address: 'm1:7443', since: 0, term: 5n };
const says = (name: string, state: 'leader' | 'standby', ready?: number): DescribeManagerResponse => ({
  manager: managerMessage(record(name), state, 7n),
  ...(ready !== undefined && { hosts: Hosts.create({ ready, repairs: 2n, drift: 1 }) }),
});

describe('knownManagers', () => {
  test.each([
    ['those registered, by name', { managers: registered('m3', 'm2', 'm1'), leader }, ['m1', 'm2', 'm3']],
    ['this one before it is registered', { managers: registered('m1'), leader }, ['m1', 'm2']],
    ['a leader whose record has ended', { managers: registered('m2'), leader }, ['m1', 'm2']],
    ['this one alone', { managers: registered(), leader: undefined }, ['m2']],
    [
      'one that died',
      { managers: registered('m1', 'm2'), leader, knownManagers: known('m1', 'm3') },
      ['m1', 'm2', 'm3'],
    ],
  ])('%s', (_, view, names) => {
    expect(knownManagers({ knownManagers: known(), ...view }, self).map(({ name }) => name)).toEqual(names);
  });
});

test('only a manager that is gone has a time since when', () => {
  const view = { managers: registered('m1', 'm2'), leader, knownManagers: known('m1', 'm3') };
  const { managers } = surveyOf(knownManagers(view, self), []);
  expect(managers.map(({ goneSinceMs }) => goneSinceMs)).toEqual([0n, 0n, 1_000n]);
});

describe('surveyOf', () => {
  test.each([
    ['all answer', [says('m1', 'leader', 3), says('m2', 'standby')], ['leader', 'standby'], 3],
    ['one is silent', [says('m1', 'leader', 3)], ['leader', 'unreachable'], 3],
    ['the leader is silent', [says('m2', 'standby')], ['unreachable', 'standby'], undefined],
    ['another is at its address', [says('m1', 'leader', 3), says('m9', 'standby')], ['leader', 'unreachable'], 3],
  ])('%s', (_, answers, states, ready) => {
    const { managers, hosts } = surveyOf([record('m1'), record('m2')], answers);
    expect(managers.map(({ state }) => state)).toEqual(states);
    expect(managers.map(({ revision }) => revision)).toEqual(
      states.map((state) => (state === 'unreachable' ? 0n : 7n)),
    );
    expect(hosts?.ready).toBe(ready);
  });
});
