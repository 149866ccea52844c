import type { NetnsPath } from '@causeway/datapath';
import { seconds } from '@causeway/runtime';
import { FakeClock, warningsOf } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { damage, damageTables, newestCopy, removeSandboxes } from '../testing/damage.ts';
import { Host } from '../testing/host.ts';
import { type KeptModules, UnrecordedContainers } from './unrecorded.ts';

/** A host with three containers on blue. Its agent is down. */
async function host(): Promise<Host> {
  const h = new Host();
  h.manager.network('blue');
  await h.start();
  for (const name of ['a1', 'a2', 'a3']) {
    await h.attach('blue', name);
    await h.settle(seconds(1));
  }
  await h.clock.until(h.agent.stop(), seconds(60));
  return h;
}

const again = async (h: Host, name: string) => {
  const request = { requestId: h.uuid(), network: 'blue', name, netns: `/run/netns/${name}` };
  return await h.clock.until(
    h.agent.api.attach({ ...request, ifname: '', addresses: [], labels: {}, gatewayPriority: 0 }),
    seconds(60),
  );
};

describe('a container that the records on disk have lost', () => {
  it.each<[string, (h: Host) => Promise<void>]>([
    ['the newest copy is damaged', (h) => damage(h, 'sandboxes')],
    ['the newest copy is gone', async (h) => h.files.remove(await newestCopy(h, 'sandboxes'))],
    ['both copies are gone', removeSandboxes],
    [
      'the tables are damaged too',
      async (h) => {
        await damage(h, 'sandboxes');
        await damageTables(h);
      },
    ],
    [
      'the identity and the list of overlays have lost a copy too',
      (h) => damage(h, 'sandboxes', 'identity', 'overlays'),
    ],
  ])('keeps its endpoint and its interface when %s', async (_, harm) => {
    const h = await host();
    const ids = h.manager.ids('blue');
    await harm(h);
    await h.start();
    await h.settle(seconds(100));
    expect(h.manager.ids('blue')).toEqual(ids);
    expect(h.kernel.namespaces.get('/run/netns/a3' as NetnsPath)?.links.has('eth0')).toBe(true);
    expect(h.manager.released).toEqual([]);
    const kept = h.log.lines.filter(({ event }) => event === 'endpoint.kept');
    expect(kept.map(({ fields }) => fields.endpoint)).toContain('a3');
    const reported = h.manager.requests('report').flatMap(({ report }) => report.keptIds);
    expect(reported).toHaveLength(kept.length);
    expect(new Set(reported)).toEqual(new Set(kept.map(({ fields }) => fields.endpointId)));
    expect(h.manager.requests('report').at(-1)?.report.networkDrift).toMatchObject({
      [String(kept[0]?.fields.networkId)]: expect.any(Number),
    });
    const { sandboxes } = await h.agent.api.listSandboxes();
    expect(sandboxes.find(({ endpoint }) => endpoint?.name === 'a3')).toMatchObject({ state: 'unrecorded' });
    expect((await h.status()).drift).toBeGreaterThan(0);
    expect((await h.agent.api.verifyHost({ repair: false })).drift).toContainEqual(
      expect.objectContaining({ kind: 'sandbox', key: 'a3' }),
    );
  });

  it('is known again once its runtime attaches it once more, and then as good as before', async () => {
    const h = await host();
    await damage(h, 'sandboxes');
    await h.start();
    await h.settle(seconds(5));
    expect(await again(h, 'a3')).toMatchObject({ alreadyAttached: true, endpoint: { name: 'a3' } });
    await h.restart();
    await h.settle(seconds(40));
    expect(await h.wrong('blue')).toEqual([]);
    expect((await h.status()).drift).toBe(0);
    expect((await h.agent.api.listSandboxes()).sandboxes.map(({ state }) => state)).toEqual(Array(3).fill('attached'));
  });

  it('is not given to another namespace while it lives', async () => {
    const h = await host();
    await damage(h, 'sandboxes');
    await h.start();
    h.container('other');
    await expect(h.attach('blue', 'a3', { netns: '/run/netns/other' })).rejects.toMatchObject({ code: 'name-taken' });
    expect(h.manager.rows('blue')).toEqual(['a1', 'a2', 'a3']);
  });

  it('is released when it dies, and when it is detached', async () => {
    const h = await host();
    await removeSandboxes(h);
    await h.start();
    await h.settle(seconds(5));
    h.kernel.foreign({ op: 'netns.delete', netns: '/run/netns/a3' as NetnsPath });
    await h.detach('a2');
    await h.settle(seconds(40));
    expect(h.manager.rows('blue')).toEqual(['a1']);
    expect(h.kernel.namespaces.get('/run/netns/a2' as NetnsPath)?.links.size).toBe(0);
  });

  it('that died while the agent was down is released', async () => {
    const h = await host();
    await damage(h, 'sandboxes');
    h.kernel.foreign({ op: 'netns.delete', netns: '/run/netns/a3' as NetnsPath });
    await h.start();
    await h.settle(seconds(40));
    expect(h.manager.rows('blue')).toEqual(['a1', 'a2']);
  });
});

it('many attaches wait for the search, and Node has no warning about listeners', async () => {
  const sandboxes = { onChange: () => undefined, all: () => [] };
  const containers = new UnrecordedContainers({ clock: new FakeClock(), sandboxes } as unknown as KeptModules);
  const warnings = await warningsOf(async () => {
    const waiting = Promise.allSettled(Array.from({ length: 20 }, () => containers.searched(seconds(1))));
    containers.stop();
    const refused = { status: 'rejected', reason: expect.objectContaining({ code: 'manager-unavailable' }) };
    expect(await waiting).toEqual(Array.from({ length: 20 }, () => refused));
  });
  expect(warnings).toEqual([]);
});
