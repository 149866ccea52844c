import { parseSealingKeyFile, type SealingKeyFile } from '@causeway/identity';
import { unwrap } from '@causeway/model';
import { randomUuid, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Manager } from '../manager.ts';
import { custodyOf } from '../testing/founded-cluster.ts';
import { MemoryCluster } from '../testing/memory-cluster.ts';

let cluster: MemoryCluster;
let manager: Manager;
const random = new SeededRandom(6);
const uuid = (): string => randomUuid(random);

beforeEach(async () => {
  cluster = new MemoryCluster({ hasCa: true });
  manager = (await cluster.startManager()).manager;
});

afterEach(() => cluster.stop());

const set = (enabled: boolean, requestId = uuid(), by = manager): Promise<string> =>
  cluster
    .answer(by.api.certificate.setAutolock({ requestId, enabled }, cluster.call()))
    .then(({ unlockKey }) => unlockKey);

const issue = (by = manager) =>
  cluster.answer(
    by.api.certificate.createToken({ requestId: uuid(), role: 'agent', uses: 1, ttlMs: 0n, name: '' }, cluster.call()),
  );

/** Another manager that starts with this file and leads. */
async function restart(file: SealingKeyFile): Promise<Manager> {
  if (cluster.founded === undefined) throw new Error('the cluster has no CA');
  const { manager: next } = cluster.addManager('m2', { custody: custodyOf(cluster.founded, file) });
  await cluster.answer(next.start());
  cluster.cutOff(manager);
  await cluster.clock.advance(seconds(20));
  expect(next.isLeader).toBe(true);
  return next;
}

const fileNow = (): SealingKeyFile => unwrap(parseSealingKeyFile(manager.view.ca?.value.autolock?.file ?? ''));

test('the unlock key is shown, the same for the same call and for the next, and managers go on', async () => {
  const requestId = uuid();
  const key = await set(true, requestId);
  expect(key).toMatch(/^CWKEY1-/);
  expect(await set(true, requestId)).toBe(key);
  expect(await set(true)).toBe(key);
  expect((await issue()).secret).toMatch(/^CWAY1-/);
  expect(fileNow().state).toBe('locked');
});

test('a manager that starts is locked until it has the unlock key', async () => {
  const key = await set(true);
  const next = await restart(fileNow());
  const shown = async () => await next.api.certificate.showCa({}, cluster.call());
  expect(await shown()).toMatchObject({ autolock: true, locked: true });
  await expect(issue(next)).rejects.toMatchObject({ code: 'unlock-key-missing' });
  const unlock = (unlockKey: string) => next.api.certificate.unlock({ unlockKey }, cluster.call());
  await expect(unlock(key.slice(0, -1))).rejects.toMatchObject({ code: 'unlock-key-invalid' });
  await unlock(key);
  expect(await shown()).toMatchObject({ autolock: true, locked: false });
  expect((await issue(next)).secret).toMatch(/^CWAY1-/);
  expect(await set(false, uuid(), next)).toBe('');
  expect(await shown()).toMatchObject({ autolock: false, locked: false });
});

test('the unlock key of another time does not open it', async () => {
  const former = await set(true);
  await set(false);
  const key = await set(true);
  expect(key).not.toBe(former);
  const next = await restart(fileNow());
  await expect(next.api.certificate.unlock({ unlockKey: former }, cluster.call())).rejects.toMatchObject({
    code: 'unlock-key-wrong',
  });
});

test('no log and no event has the unlock key', async () => {
  const key = await set(true);
  await cluster.clock.advance(seconds(1));
  expect(JSON.stringify(cluster.log)).not.toContain(key.slice(8, 30));
});

test('the unlock key opens also what was locked anew when the CA was replaced', async () => {
  const key = await set(true);
  const token = await issue();
  const rotation = manager.api.certificate.rotateCa({ requestId: uuid(), force: false }, cluster.call());
  await cluster.answer(rotation.next());
  await rotation.return();
  expect(await set(true)).toBe(key);
  expect((await issue()).secret).not.toBe(token.secret);
  const next = await restart(fileNow());
  await next.api.certificate.unlock({ unlockKey: key }, cluster.call());
  expect((await issue(next)).secret).toMatch(/^CWAY1-/);
});
