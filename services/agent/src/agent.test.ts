import { CausewayError, Ip, type Name, type NodeId } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { createAgent } from './agent.ts';
import { busyHost } from './testing/agent-fixture.ts';
import { memberCluster } from './testing/encryption.ts';
import { Host } from './testing/host.ts';

/** Starts the agent on tables as they were on disk some time ago, for a minute in which no manager answers. */
async function startOn(old: Host['files']['contents'], h: Host): Promise<void> {
  await h.clock.until(h.agent.stop(), seconds(60));
  for (const [name, bytes] of old) if (name.startsWith('network-')) h.files.contents.set(name, bytes);
  h.manager.down = true;
  await h.start();
  await h.settle(seconds(60));
}

describe('adoption', () => {
  it('happens on a full disk too', async () => {
    const h = await busyHost();
    h.files.capacity = 0;
    const { writes } = h.kernel;
    await h.restart();
    h.manager.peer('blue', 202);
    await h.settle(seconds(1));
    expect(await h.wrong('blue')).toEqual([]);
    expect(h.kernel.writes - writes).toBe(2);
  });

  it('writes nothing when nothing has changed', async () => {
    const h = await busyHost();
    const { writes } = h.kernel;
    for (let restarts = 0; restarts < 3; restarts++) await h.restart();
    await h.settle(seconds(60));
    expect(h.kernel.writes).toBe(writes);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('writes only what was missed', async () => {
    const h = await busyHost();
    await h.clock.until(h.agent.stop(), seconds(60));
    const { writes } = h.kernel;
    h.manager.peer('blue', 202);
    await h.start();
    expect(h.kernel.writes - writes).toBe(2);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('takes nothing from a kernel that is newer than the ledger while no manager answers', async () => {
    const h = await busyHost();
    const old = new Map(h.files.contents);
    h.manager.peer('blue', 202);
    await h.settle(seconds(1));
    const { writes } = h.kernel;
    await startOn(old, h);
    expect(h.kernel.writes).toBe(writes);
    h.manager.down = false;
    await h.settle(seconds(5));
    expect(h.kernel.writes).toBe(writes);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('brings back no peer that was taken out after the ledger was last written', async () => {
    const h = await busyHost();
    const [peer = expect.fail()] = h.manager.ids('blue');
    const old = new Map(h.files.contents);
    h.manager.remove('blue', peer);
    await h.settle(seconds(1));
    const { writes } = h.kernel;
    await startOn(old, h);
    expect(h.kernel.writes).toBe(writes);
    h.manager.down = false;
    await h.settle(seconds(5));
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('brings back nothing of a network that was withdrawn after the ledger was last written', async () => {
    const h = await busyHost();
    const old = new Map(h.files.contents);
    await h.detach('web');
    await h.settle(seconds(1));
    const { writes } = h.kernel;
    await startOn(old, h);
    expect(h.kernel.writes).toBe(writes);
    h.manager.down = false;
    await h.settle(seconds(5));
    expect(h.kernel.writes).toBe(writes);
  });

  it('rebuilds all from the ledger without any manager, as after a reboot that kept the containers', async () => {
    const h = await busyHost();
    await h.clock.until(h.agent.stop(), seconds(60));
    h.kernel.foreign({ op: 'netns.delete', netns: h.overlay('blue') });
    h.manager.down = true;
    await h.start();
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('finishes an attach whose table never reached the disk', async () => {
    const h = await busyHost();
    await h.clock.until(h.agent.stop(), seconds(60));
    for (const name of h.files.contents.keys()) if (name.startsWith('network-')) h.files.contents.delete(name);
    const { writes } = h.kernel;
    h.manager.down = true;
    await h.start();
    expect(h.kernel.writes).toBe(writes);
    h.manager.down = false;
    await h.settle(seconds(5));
    expect(h.kernel.writes).toBe(writes);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('makes the interface of a sandbox that was written and not programmed', async () => {
    const h = await busyHost();
    await h.clock.until(h.agent.stop(), seconds(60));
    h.kernel.foreign({ op: 'link.delete', netns: h.overlay('blue'), name: 'v000000000003' });
    await h.start();
    expect(await h.wrong('blue')).toEqual([]);
  });
});

describe('start', () => {
  it('keeps the identity of the host', async () => {
    const h = await busyHost();
    const before = (await h.status()).node;
    await h.restart();
    expect((await h.status()).node).toEqual(before);
  });

  it.each<[string, (h: Host) => void, string, string]>([
    ['a full disk', (h) => (h.files.capacity = 0), 'disk-full', '/var/lib/causeway'],
    [
      'a damaged data directory',
      (h) => h.files.contents.set('sandboxes.a', new Uint8Array(5)),
      'data-damaged',
      'sandboxes.a',
    ],
  ])('refuses %s', async (_, happen, code, named) => {
    const h = new Host();
    happen(h);
    await expect(h.start()).rejects.toMatchObject({ code, message: expect.stringContaining(named) });
  });

  it('refuses an address no device carries', async () => {
    const { kernel, manager: link, files, clock, random, log, encryption } = new Host();
    const settings = {
      nodeId: 'a1a1a1a1a1a1a1a1' as NodeId,
      cluster: memberCluster,
      name: 'h1' as Name,
      managers: ['m:1'],
      dataPath: Ip('198.51.100.1'),
      vxlanPort: 4789,
      version: '0',
    };
    const agent = createAgent({ kernel, link, files, clock, random, log, encryption }, settings);
    await expect(agent.start()).rejects.toMatchObject({ code: 'address-absent', data: { field: 'data-path' } });
    await expect(agent.api.getAgentStatus()).rejects.toBeInstanceOf(CausewayError);
  });
});
