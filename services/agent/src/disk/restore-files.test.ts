import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { idleHost } from '../testing/agent-fixture.ts';

describe('a data directory that is emptied while the agent runs', () => {
  it('gets the identity and the records of containers again, so that the next agent is the same host', async () => {
    const h = await idleHost();
    const { id } = await h.attach('blue', 'web');
    const before = (await h.status()).node?.id;
    h.files.contents.clear();
    await h.settle(seconds(31));
    expect(h.log.lines.filter(({ event }) => event === 'ledger.lost')).toHaveLength(3);
    await h.restart();
    expect((await h.status()).node?.id).toBe(before);
    expect((await h.agent.api.listSandboxes()).sandboxes).toMatchObject([{ endpoint: { id }, state: 'attached' }]);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('gets the newest copy of a record again: an older copy lacks changes', async () => {
    const h = await idleHost();
    await h.attach('blue', 'web');
    const web = [...h.files.contents.keys()];
    await h.attach('blue', 'db');
    const newest = [...h.files.contents.keys()].find((name) => name.startsWith('sandboxes') && !web.includes(name));
    h.files.contents.delete(newest ?? '');
    await h.settle(seconds(31));
    await h.restart();
    expect((await h.agent.api.listSandboxes()).sandboxes).toHaveLength(2);
  });

  it('is not written while nothing is lost', async () => {
    const h = await idleHost();
    await h.attach('blue', 'web');
    await h.settle(seconds(31));
    const { writes } = h.files;
    await h.settle(seconds(61));
    expect(h.files.writes).toBe(writes);
  });

  it('stays without them while its disk is full, and gets them when there is room', async () => {
    const h = await idleHost();
    await h.attach('blue', 'web');
    h.files.contents.clear();
    h.files.capacity = 1;
    await h.settle(seconds(31));
    expect(h.events()).toContain('ledger.not-written');
    h.files.capacity = Number.POSITIVE_INFINITY;
    await h.settle(seconds(31));
    const kinds = [...h.files.contents.keys()].map((name) => name.slice(0, -2));
    expect(kinds).toEqual(expect.arrayContaining(['identity', 'overlays', 'sandboxes']));
  });
});
