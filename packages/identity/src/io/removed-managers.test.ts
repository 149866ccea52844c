import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ClientCredentials } from './client-credentials.ts';
import { RemovedManagers } from './removed-managers.ts';
import { EchoClient, echoServer } from './testing/echo-server.ts';
import { type Served, TestCluster } from './testing/test-cluster.ts';

let directory: string;
const cluster = new TestCluster();
const ends: (() => void)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'causeway-removed-'));
});
afterEach(() => {
  for (const end of ends.splice(0).reverse()) end();
  rmSync(directory, { recursive: true });
});

async function serve(name: string): Promise<Served> {
  const served = await cluster.serve(echoServer(), cluster.member('manager', name));
  ends.push(served.stop);
  return served;
}

function clientOf({ address }: Served, credentials: ClientCredentials): EchoClient {
  const client = new EchoClient(Number(address.split(':')[1]), credentials);
  ends.push(() => client.close());
  return client;
}

test('an agent that has learned of a removed manager ends its connections to it, and makes no others', async () => {
  const removed = await RemovedManagers.open(directory);
  const member = cluster.member('agent', 'a1a1a1a1a1a1a1a1');
  const credentials = ClientCredentials.toManagers(
    member,
    () => Date.now(),
    () => removed.removals,
  );
  const [one, other] = [await serve('m1'), await serve('m2')];
  const [toOne, toOther] = [clientOf(one, credentials), clientOf(other, credentials)];
  for (const client of [toOne, toOther]) expect(await client.who()).toBe('agent/a1a1a1a1a1a1a1a1');
  const talk = toOne.talk();
  expect(await talk.say('hello')).toContain('hello');
  expect(await removed.learn([{ name: 'm1', at: Date.now() - 60_000, isUntilJoin: true }])).toBe(true);
  expect(credentials.cutUnwelcome()).toBe(1);
  await talk.ended;
  expect(await toOne.who()).toMatch(/manager-removed.*manager\/m1 was removed from the cluster/);
  expect(await toOther.who()).toBe('agent/a1a1a1a1a1a1a1a1');
});

test('a manager that has joined again is trusted', async () => {
  const removed = await RemovedManagers.open(directory);
  const credentials = ClientCredentials.toManagers(
    cluster.member('agent', 'a1a1a1a1a1a1a1a1'),
    () => Date.now(),
    () => removed.removals,
  );
  await removed.learn([{ name: 'm1', at: Date.now() - 90_000, isUntilJoin: true }]);
  await removed.learn([{ name: 'm1', at: Date.now() - 60_000, isUntilJoin: false }]);
  expect(await clientOf(await serve('m1'), credentials).who()).toBe('agent/a1a1a1a1a1a1a1a1');
});

test('what was learned is kept on disk, and nothing takes it back', async () => {
  const first = await RemovedManagers.open(directory);
  expect(
    await first.learn([
      { name: 'm2', at: 5, isUntilJoin: true },
      { name: 'm3', at: 7, isUntilJoin: false },
    ]),
  ).toBe(true);
  expect(await first.learn([{ name: 'm2', at: 4, isUntilJoin: false }])).toBe(false);
  expect(await first.learn([{ name: 'm2', at: 5, isUntilJoin: false }])).toBe(false);
  expect(await first.learn([])).toBe(false);
  const again = await RemovedManagers.open(directory);
  expect([...again.removals.peers]).toEqual([
    ['manager/m2', { at: 5, isUntilJoin: true }],
    ['manager/m3', { at: 7, isUntilJoin: false }],
  ]);
  writeFileSync(join(directory, 'removed-managers.json'), '{"name"', { mode: 0o600 });
  expect((await RemovedManagers.open(directory)).removals.peers.size).toBe(0);
});

test('what a former version has kept counts by time, until a manager tells more', async () => {
  writeFileSync(join(directory, 'removed-managers.json'), '[{"name":"m2","at":5},{"name":7}]', { mode: 0o600 });
  const removed = await RemovedManagers.open(directory);
  expect([...removed.removals.peers]).toEqual([['manager/m2', { at: 5, isUntilJoin: false }]]);
  expect(await removed.learn([{ name: 'm2', at: 5, isUntilJoin: true }])).toBe(true);
  expect([...(await RemovedManagers.open(directory)).removals.peers]).toEqual([
    ['manager/m2', { at: 5, isUntilJoin: true }],
  ]);
});

test('a list that a wrong manager has filled takes more, and keeps what the managers tell again', async () => {
  const removed = await RemovedManagers.open(directory);
  const removal = (name: string, at = 5) => ({ name, at, isUntilJoin: true });
  await removed.learn([removal('m2')]);
  await removed.learn([removal('m3')]);
  const made = Array.from({ length: 998 }, (_, i) => removal(`made-up-${i}`));
  expect(await removed.learn(made)).toBe(true);
  // m2 is told again; m3 was not told for longest.
  expect(await removed.learn([removal('m2')])).toBe(false);
  expect(await removed.learn([removal('m4')])).toBe(true);
  const names = ['m2', 'm3', 'm4'].filter((name) => removed.removals.peers.has(`manager/${name}`));
  expect(names).toEqual(['m2', 'm4']);
  // A removal that is known may be over, also while the list is full.
  expect(await removed.learn([{ name: 'm2', at: 6, isUntilJoin: false }])).toBe(true);
  expect(removed.removals.peers.size).toBe(1_000);
  expect((await RemovedManagers.open(directory)).removals.peers.get('manager/m2')?.at).toBe(6);
});

test('what is learned at once from several managers is all on disk', async () => {
  const removed = await RemovedManagers.open(directory);
  const names = Array.from({ length: 40 }, (_, i) => `m${i}`);
  await Promise.all(names.map((name) => removed.learn([{ name, at: 5, isUntilJoin: true }])));
  expect([...(await RemovedManagers.open(directory)).removals.peers.keys()]).toEqual(
    names.map((name) => `manager/${name}`),
  );
});

test('what could not be written is written when the managers tell again', async () => {
  const removed = await RemovedManagers.open(directory);
  const path = join(directory, 'removed-managers.json');
  mkdirSync(path);
  await expect(removed.learn([{ name: 'm2', at: 5, isUntilJoin: true }])).rejects.toThrow();
  rmSync(path, { recursive: true });
  expect(await removed.learn([{ name: 'm2', at: 5, isUntilJoin: true }])).toBe(false);
  expect([...(await RemovedManagers.open(directory)).removals.peers.keys()]).toEqual(['manager/m2']);
});
