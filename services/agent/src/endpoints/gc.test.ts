import type { NetnsPath } from '@causeway/datapath';
import { CausewayError, type NodeId } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { abandonedClaim, busyHost } from '../testing/agent-fixture.ts';

describe('what is left behind is reclaimed', () => {
  it('when a container’s namespace is deleted', async () => {
    const h = await busyHost();
    h.kernel.foreign({ op: 'netns.delete', netns: '/run/netns/web' as NetnsPath });
    await h.settle(seconds(2));
    expect(h.manager.rows('blue')).toEqual(['peer-200', 'peer-201']);
    expect(await h.kernel.ownNetns()).toEqual([]);
    expect((await h.status()).repairs).toBe(0n);
  });

  it('when the namespace’s path leads to another container now, which is left alone', async () => {
    const h = await busyHost();
    h.kernel.foreign({ op: 'netns.delete', netns: '/run/netns/web' as NetnsPath });
    h.container('web');
    await h.settle(seconds(2));
    expect(h.manager.rows('blue')).toEqual(['peer-200', 'peer-201']);
    expect([...(h.kernel.namespaces.get('/run/netns/web' as NetnsPath)?.links ?? [])]).toEqual([]);
  });

  it('when no manager answers at first', async () => {
    const h = await busyHost();
    h.manager.down = true;
    h.kernel.foreign({ op: 'netns.delete', netns: '/run/netns/web' as NetnsPath });
    await h.settle(seconds(20));
    h.manager.down = false;
    await h.settle(seconds(10));
    expect(h.manager.rows('blue')).toEqual(['peer-200', 'peer-201']);
    expect((await h.agent.api.listSandboxes()).sandboxes).toEqual([]);
  });

  it('but not while the container’s pair of links lives, though its path is gone', async () => {
    const h = await busyHost();
    const namespaces = h.kernel.namespaces as Map<NetnsPath, never>;
    const path = '/run/netns/web' as NetnsPath;
    namespaces.set('/proc/4711/ns/net' as NetnsPath, namespaces.get(path) as never);
    namespaces.delete(path);
    await h.settle(seconds(40));
    await h.restart();
    await h.settle(seconds(40));
    expect(h.manager.rows('blue')).toContain('web');
    expect(h.kernel.namespaces.get(h.overlay('blue'))?.links.has('v000000000003')).toBe(true);
    expect(await h.status()).toMatchObject({ repairs: 0n, drift: 0 });
  });

  it('when a claim never got its container', async () => {
    const h = await busyHost();
    const { node } = await h.status();
    h.manager.foreignClaim('blue', 7, node?.id as NodeId);
    await h.settle(seconds(9));
    expect(h.manager.rows('blue')).toContain('ghost-7');
    await h.settle(seconds(5));
    expect(h.manager.rows('blue')).not.toContain('ghost-7');
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('before an attach of that name, when the release was not answered', async () => {
    const h = await busyHost();
    const requestId = await abandonedClaim(h, 'db');
    const { releaseEndpoint } = h.manager;
    const unanswered: Parameters<typeof releaseEndpoint>[] = [];
    h.manager.releaseEndpoint = async (...call) => {
      unanswered.push(call);
      throw new CausewayError('manager-unavailable', 'no answer');
    };
    await h.settle(seconds(18));
    const attach = h.attach('blue', 'db', { requestId });
    await h.settle(seconds(6));
    h.manager.releaseEndpoint = releaseEndpoint;
    const { id } = await attach;
    for (const call of unanswered) await releaseEndpoint(...call).catch(() => undefined);
    await h.settle(seconds(20));
    expect(h.manager.ids('blue')).toContain(id);
    expect((await h.agent.api.listSandboxes()).sandboxes.map(({ endpoint }) => endpoint?.name)).toEqual(['web', 'db']);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('when another caller released the endpoint', async () => {
    const h = await busyHost();
    const [sandbox] = (await h.agent.api.listSandboxes()).sandboxes;
    h.manager.remove('blue', sandbox?.endpoint?.id as never);
    await h.settle(seconds(1));
    expect((await h.agent.api.listSandboxes()).sandboxes).toEqual([]);
    expect(await h.kernel.ownNetns()).toEqual([]);
  });

  it('when that happened while the agent was down', async () => {
    const h = await busyHost();
    const [sandbox] = (await h.agent.api.listSandboxes()).sandboxes;
    await h.clock.until(h.agent.stop(), seconds(60));
    h.manager.remove('blue', sandbox?.endpoint?.id as never);
    await h.start();
    await h.settle(seconds(1));
    expect((await h.agent.api.listSandboxes()).sandboxes).toEqual([]);
    expect(await h.kernel.ownNetns()).toEqual([]);
  });
});
