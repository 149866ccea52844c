import type { Op } from '@causeway/datapath';
import type { EndpointId } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, it, vi } from 'vitest';
import { idleHost } from '../testing/agent-fixture.ts';
import type { Host } from '../testing/host.ts';

/** Holds all changes of the kernel back until the returned function is called. */
function holdKernel(h: Host): () => void {
  let go = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  const apply = h.kernel.apply.bind(h.kernel);
  vi.spyOn(h.kernel, 'apply').mockImplementation(async (ops: readonly Op[], ...rest) => {
    await held;
    return await apply(ops, ...rest);
  });
  return go;
}

const request = (h: Host, name: string) => ({
  ...{ requestId: h.uuid(), network: 'blue', name, netns: '/run/netns/web', ifname: '' },
  ...{ addresses: [], labels: {}, gatewayPriority: 0 },
});

describe('an attach while an interface of the container leaves', () => {
  it.each(['web', 'other'])('of %s, after a detach, waits until the kernel has removed the interface', async (name) => {
    const h = await idleHost();
    const { id } = await h.attach('blue', 'web');
    const go = holdKernel(h);
    const detaching = h.agent.api.detach({ requestId: h.uuid(), endpoint: 'web', force: false });
    await h.settle();
    expect((await h.agent.api.listSandboxes()).sandboxes).toEqual([]);
    const attaching = h.agent.api.attach(request(h, name));
    await h.settle();
    go();
    const { endpoint, alreadyAttached } = await h.clock.until(attaching, seconds(60));
    await h.clock.until(detaching, seconds(60));
    expect(alreadyAttached).toBe(false);
    expect(endpoint?.id).not.toBe(id);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('waits likewise after a release elsewhere', async () => {
    const h = await idleHost();
    const { id } = await h.attach('blue', 'web');
    const go = holdKernel(h);
    h.manager.remove('blue', id as EndpointId);
    await h.settle(seconds(2));
    expect((await h.agent.api.listSandboxes()).sandboxes).toEqual([]);
    const attaching = h.agent.api.attach(request(h, 'web'));
    await h.settle();
    go();
    expect((await h.clock.until(attaching, seconds(60))).alreadyAttached).toBe(false);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('is refused when the interface is not one of those that leave', async () => {
    const h = await idleHost();
    h.kernel.foreignLink(h.container('web'), 'eth0');
    await expect(h.attach('blue', 'web')).rejects.toMatchObject({ code: 'ifname-taken' });
  });
});
