import { CausewayError } from '@causeway/model';
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

it('a host that was removed says so once, does not try again, and keeps the networks of its containers', async () => {
  const h = await busyHost();
  const removed = new CausewayError('node-removed', 'this host was removed from the cluster; to come back, join again');
  h.manager.removed = removed;
  await h.settle(seconds(120));
  const connects = h.manager.attempts;
  expect((await h.status()).removed).toBe(removed.message);
  expect((await h.status()).manager).toBe('');
  expect(h.log.lines.filter(({ fields }) => fields['code'] === 'node-removed')).toMatchObject([
    { level: 'error', event: 'session.ended' },
  ]);
  expect(await h.wrong('blue')).toEqual([]);
  await expect(h.attach('blue', 'db')).rejects.toMatchObject({ code: 'node-removed' });
  await h.settle(seconds(600));
  expect(h.manager.attempts).toBe(connects);
  // What breaks is repaired, and containers can be detached.
  await h.detach('web');
  expect((await h.agent.api.listSandboxes()).sandboxes).toEqual([]);
});

it('a host that was removed while its agent was stopped asks once when the agent starts', async () => {
  const h = await busyHost();
  await h.agent.stop();
  h.manager.removed = new CausewayError('node-removed', 'this host was removed from the cluster');
  const before = h.manager.attempts;
  await h.agent.start();
  await h.settle(seconds(60));
  expect(h.manager.attempts).toBe(before + 1);
  expect((await h.status()).removed).not.toBe('');
  expect(await h.wrong('blue')).toEqual([]);
});
