import { expect, test } from 'vitest';
import { createKeys } from '../store/keys.ts';
import { records } from '../store/records/index.ts';
import { cluster, connect, manager } from '../testing/manager-fixture.ts';

async function remove(role: 'agent' | 'manager', id: string, knownCa?: number): Promise<void> {
  const known = knownCa === undefined ? {} : { knownCa };
  const value = records.removed.codec.encode({ role, id, at: 5, until: 9, reason: 'a test', ...known });
  const store = cluster.storeOf(manager);
  await store.txn([], [{ kind: 'put', key: createKeys().removed(role, id), value }]);
  await cluster.settle();
}

test('agents are told at once which managers were removed, and again in each session', async () => {
  const agent = await connect(1);
  expect(agent.received.some((said) => said.startsWith('removed'))).toBe(false);
  await remove('agent', 'a1a1a1a1a1a1a1a1');
  await remove('manager', 'm2');
  await remove('manager', 'm3', 1);
  const told = agent.received.filter((said) => said.startsWith('removed'));
  expect(told).toEqual(['removed m2', 'removed m2 m3 until it joins']);
  expect((await connect(2)).received).toContain('removed m2 m3 until it joins');
});
