import { seconds } from '@causeway/runtime';
import { expect, it } from 'vitest';
import { busyHost } from '../testing/agent-fixture.ts';

it('a drained host refuses new endpoints by itself, and keeps those that it has', async () => {
  const h = await busyHost();
  h.manager.say({ oneofKind: 'hostState', hostState: { drained: true } });
  await h.settle(seconds(1));
  expect((await h.status()).node?.drained).toBe(true);
  const claims = h.manager.rows('blue');
  await expect(h.attach('blue', 'db')).rejects.toMatchObject({ code: 'node-drained', data: { host: 'h1' } });
  expect(h.manager.rows('blue')).toEqual(claims);
  expect((await h.attach('blue', 'web')).name).toBe('web'); // repeated: nothing new
  expect(await h.wrong('blue')).toEqual([]);
  h.manager.say({ oneofKind: 'hostState', hostState: { drained: false } });
  await h.settle(seconds(1));
  await h.attach('blue', 'db');
});

it('a new session begins without a drain: the manager says so if there is one', async () => {
  const h = await busyHost();
  h.manager.say({ oneofKind: 'hostState', hostState: { drained: true } });
  await h.settle(seconds(1));
  h.manager.down = true;
  await h.settle(seconds(1));
  expect((await h.status()).node?.drained).toBe(true);
  h.manager.down = false;
  await h.settle(seconds(3));
  expect((await h.status()).node?.drained).toBe(false);
});
