import { CausewayError } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { busyHost } from '../testing/agent-fixture.ts';
import type { Host } from '../testing/host.ts';

describe('session', () => {
  it('comes back after the managers were away, with what was missed and nothing written twice', async () => {
    const h = await busyHost();
    h.manager.down = true;
    await h.settle(seconds(30));
    expect((await h.status()).manager).toBe('');
    h.manager.down = false;
    h.manager.peer('blue', 202);
    const { writes } = h.kernel;
    await h.settle(seconds(2));
    expect((await h.status()).manager).toBe('10.0.0.1:7443');
    expect(await h.wrong('blue')).toEqual([]);
    expect(h.kernel.writes - writes).toBe(2);
  });

  it('is opened anew without a pause and with nothing written twice, when this host has a new certificate', async () => {
    const h = await busyHost();
    const { writes } = h.kernel;
    const { attempts } = h.manager;
    h.agent.renewSession();
    await h.settle();
    expect(h.manager.attempts).toBe(attempts + 1);
    expect(h.manager.sessions).toBe(1);
    expect(h.manager.requests('hello').at(-1)?.hello.cursors).not.toEqual([]);
    h.manager.peer('blue', 202);
    await h.settle();
    expect(await h.wrong('blue')).toEqual([]);
    expect(h.kernel.writes - writes).toBe(2);
    expect(h.events()).toContain('session.renewed');
    expect(h.events()).not.toContain('session.ended');
  });

  it('asks for a network whole when a delta does not fit', async () => {
    const h = await busyHost();
    const held = h.manager.networks.get('blue');
    if (held === undefined) throw new Error('no blue');
    held.revision += 5n;
    h.manager.peer('blue', 203);
    await h.settle();
    expect(h.manager.requests('resync')).toHaveLength(1);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('does not fight for its session with another agent of its identity: it comes back ever more seldom, and says so', async () => {
    const h = await busyHost();
    const goodbye = { leaderAddress: '', reason: 'the agent of this host began another session', taken: true };
    let begun = 0;
    h.manager.onWelcome = () => {
      begun++;
      h.manager.say({ oneofKind: 'goodbye', goodbye });
    };
    h.manager.say({ oneofKind: 'goodbye', goodbye });
    await h.settle(seconds(60));
    expect(begun).toBeLessThan(10);
    const before = begun;
    await h.settle(seconds(600));
    expect(begun - before).toBeGreaterThan(5);
    expect(begun - before).toBeLessThan(25);
    const said = h.log.lines.filter(({ fields }) => fields.code === 'session-taken');
    expect(said[0]).toMatchObject({ level: 'error', event: 'session.ended' });
    h.manager.onWelcome = () => undefined;
    await h.settle(seconds(120));
    expect(h.manager.sessions).toBe(1);
  });

  it('asks no manager any more when all are of another cluster, and an attach is refused at once with the reason', async () => {
    const h = await busyHost();
    h.manager.removed = new CausewayError('cluster-mismatch', 'h1:7401 is a manager of another cluster');
    await h.settle(seconds(60));
    const { attempts } = h.manager;
    const before = h.clock.now();
    const refusal = { code: 'manager-unavailable', message: expect.stringContaining('of another cluster') };
    await expect(h.attach('blue', 'late')).rejects.toMatchObject(refusal);
    expect(h.clock.now() - before).toBeLessThan(1_000);
    const said = h.log.lines.filter(({ event }) => event === 'agent.refused');
    expect(said).toMatchObject([{ level: 'error', fields: { code: 'cluster-mismatch' } }]);
    await h.settle(seconds(600));
    expect(h.manager.attempts).toBe(attempts);
    expect((await h.agent.api.listSandboxes()).sandboxes).toHaveLength(1);
  });

  it('beats while nothing happens', async () => {
    const h = await busyHost();
    const before = h.manager.requests('report').length;
    await h.settle(seconds(20));
    expect(h.manager.requests('report').length - before).toBe(10);
  });

  it.each<[string, (h: Host) => void, string]>([
    ['another cluster', (h) => (h.manager.clusterId = 'c000000000000002'), 'cluster-mismatch'],
    ['an old leader', (h) => (h.manager.term = 0n), 'not-leader'],
    ['a store of the past', (h) => (h.manager.epoch = 0n), 'not-leader'],
  ])('refuses the manager of %s, says so once, and keeps the data path', async (_, change, code) => {
    const h = await busyHost();
    const { writes } = h.kernel;
    h.manager.down = true;
    h.manager.networks.clear();
    change(h);
    await h.settle(seconds(2));
    h.manager.down = false;
    await h.settle(seconds(60));
    expect((await h.status()).manager).toBe('');
    expect(h.kernel.writes).toBe(writes);
    const said = h.log.lines.filter(({ event, fields }) => event === 'session.refused' && fields['code'] === code);
    expect(said).toHaveLength(1);
    await h.restart();
    await h.settle(seconds(10));
    expect(h.kernel.writes).toBe(writes);
  });

  it('alarms when the store was restored, and follows it', async () => {
    const h = await busyHost();
    const { writes } = h.kernel;
    h.manager.restore(50n);
    await h.settle(seconds(2));
    expect((await h.status()).manager).not.toBe('');
    expect(h.events()).toContain('cluster.epoch-changed');
    expect(h.kernel.writes).toBe(writes);
  });

  it.each([
    ['', async () => undefined],
    [', not even after a restart in between', async (h: Host) => void (await h.restart())],
  ])('tells the managers of a restored store nothing of what was before it%s', async (_, between) => {
    const h = await busyHost();
    expect(h.manager.requests('applied').at(-1)?.applied.networks[0]?.revision).toBeGreaterThan(50n);
    h.manager.silent = true;
    h.manager.restore(50n);
    await h.settle(seconds(2));
    await between(h);
    const [blue] = (await h.status()).networks;
    expect(blue).toMatchObject({ revision: 0n, applied: 0n });
    expect(h.manager.requests('applied')).toEqual([]);
    h.manager.silent = false;
    h.manager.down = true;
    h.manager.down = false;
    await h.settle(seconds(2));
    const reported = h.manager.requests('applied').flatMap(({ applied }) => applied.networks);
    expect(reported.map(({ revision }) => revision)).toEqual([50n]);
    const [hello] = h.manager.requests('hello');
    expect(hello?.hello).toMatchObject({ epoch: 2n, cursors: [{ revision: 0n, digest: 0n }] });
  });
});
