import type { NetnsPath } from '@causeway/datapath';
import type { NodeId } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { Host } from '../testing/host.ts';
import { MemoryFiles } from '../testing/memory-files.ts';

/** A host on which an agent has attached a container. Then another agent was started with its own data directory. */
async function wrongDirectory(): Promise<{ h: Host; toOwn: () => Promise<void> }> {
  const h = new Host();
  h.manager.network('blue');
  h.manager.network('red', '10.77.0.0/16');
  await h.start();
  await h.attach('blue', 'web');
  await h.clock.until(h.agent.stop(), seconds(60));
  const { files, nodeId } = h;
  h.files = new MemoryFiles();
  h.nodeId = 'b2b2b2b2b2b2b2b2' as NodeId;
  await h.start();
  const toOwn = async (): Promise<void> => {
    await h.clock.until(h.agent.stop(), seconds(60));
    Object.assign(h, { files, nodeId });
    await h.start();
  };
  return { h, toOwn };
}

describe('an agent on a data directory that is not the one before', () => {
  it('removes nothing and changes nothing of what it did not make, and names it', async () => {
    const { h, toOwn } = await wrongDirectory();
    const { writes } = h.kernel;
    await h.settle(seconds(100));
    expect(h.kernel.writes).toBe(writes);
    expect(h.log.lines.filter(({ event }) => event === 'netns.foreign')).toMatchObject([
      { fields: { netns: h.overlay('blue'), containers: 1 } },
    ]);
    expect((await h.agent.api.verifyHost({ repair: true })).drift).toEqual([]);
    expect(h.kernel.writes).toBe(writes);
    await toOwn();
    expect(h.kernel.writes).toBe(writes);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('refuses a container on such a network, with what to do, and leaves the others alone', async () => {
    const { h, toOwn } = await wrongDirectory();
    const { writes } = h.kernel;
    await expect(h.attach('blue', 'db')).rejects.toMatchObject({
      code: 'kernel-refused',
      message: expect.stringMatching(/those of another agent of this host.*--data-dir.*--reset/),
    });
    await h.settle(seconds(100));
    expect(h.kernel.writes).toBe(writes);
    expect(h.manager.rows('blue')).toEqual(['web']);
    await toOwn();
    expect(await h.wrong('blue')).toEqual([]);
    expect(h.kernel.writes).toBe(writes);
  });

  it('has networks of its own beside them', async () => {
    const { h } = await wrongDirectory();
    await h.attach('red', 'db');
    await h.settle(seconds(40));
    expect(await h.wrong('red')).toEqual([]);
    await h.detach('db');
    await h.settle(seconds(1));
    expect(await h.kernel.ownNetns()).toEqual([h.overlay('blue')]);
  });

  it('has the network too once the other one’s namespace is gone', async () => {
    const { h } = await wrongDirectory();
    h.kernel.foreign({ op: 'netns.delete', netns: h.overlay('blue') });
    await h.attach('blue', 'db');
    await h.settle(seconds(1));
    expect((await h.agent.api.verifyHost({ repair: false })).drift).toEqual([]);
  });
});

describe('an overlay namespace that belongs to no network', () => {
  const other = '/run/netns/cw-0123456789' as NetnsPath;

  it('is removed when this agent made it, though it has lost the table, once a manager has confirmed', async () => {
    const h = new Host();
    const { id } = h.manager.network('blue');
    await h.start();
    await h.attach('blue', 'web');
    await h.clock.until(h.agent.stop(), seconds(60));
    h.manager.remove('blue', ...h.manager.ids('blue'));
    for (const name of ['sandboxes.a', 'sandboxes.b', `network-${id}`]) await h.files.remove(name);
    h.manager.down = true;
    await h.start();
    await h.settle(seconds(60));
    expect(h.kernel.namespaces.has(h.overlay('blue'))).toBe(true);
    h.manager.down = false;
    await h.settle(seconds(5));
    expect(h.kernel.namespaces.has(h.overlay('blue'))).toBe(false);
  });

  it('is kept when another program made it', async () => {
    const h = new Host();
    h.manager.network('blue');
    h.kernel.foreignNetns(other);
    await h.start();
    await h.attach('blue', 'web');
    await h.settle(seconds(100));
    expect(h.kernel.namespaces.has(other)).toBe(true);
  });

  it('of an agent that kept no list is known by its containers', async () => {
    const h = new Host();
    h.manager.network('blue');
    await h.start();
    await h.attach('blue', 'web');
    await h.clock.until(h.agent.stop(), seconds(60));
    for (const name of ['overlays.a', 'overlays.b']) await h.files.remove(name);
    const { writes } = h.kernel;
    await h.start();
    await h.attach('blue', 'db');
    expect(await h.wrong('blue')).toEqual([]);
    expect(h.log.lines.filter(({ event }) => event === 'netns.foreign')).toEqual([]);
    expect(h.kernel.writes).toBeGreaterThan(writes);
  });
});
