import type { NetnsPath } from '@causeway/datapath';
import { CausewayError } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { Host } from '../testing/host.ts';

async function host(): Promise<Host> {
  const made = new Host();
  made.manager.network('blue');
  return await made.start();
}

/** The whole answer to an attach to blue as web. Each call has its own request id. */
async function again(h: Host, options: Partial<Parameters<Host['attach']>[2]> = {}) {
  const request = { requestId: h.uuid(), network: 'blue', name: 'web', netns: '/run/netns/web' };
  const call = h.agent.api.attach({
    ...request,
    ifname: '',
    addresses: [],
    labels: {},
    gatewayPriority: 0,
    ...options,
  });
  return await h.clock.until(call, seconds(60));
}

const first = { addresses: ['10.66.0.9'], labels: { tier: 'web' } };

describe('an attach said again', () => {
  it.each<[string, Parameters<typeof again>[1]]>([
    ['with everything equal', first],
    ['with no more than it needs', {}],
    ['by the id of the network', { network: 'id' } as never],
  ])('%s answers with what is there', async (_, options) => {
    const h = await host();
    const endpoint = await h.attach('blue', 'web', first);
    const writes = (await h.status()).kernelWrites;
    const network = 'network' in (options ?? {}) ? { network: endpoint.networkId } : {};
    expect(await again(h, { ...options, ...network })).toEqual({ endpoint, alreadyAttached: true });
    await h.settle(seconds(1));
    expect(h.manager.rows('blue')).toEqual(['web']);
    expect((await h.status()).kernelWrites).toBe(writes);
  });

  it('answers so after a restart of the agent too, without a manager', async () => {
    const h = await host();
    const endpoint = await h.attach('blue', 'web', first);
    await h.restart();
    h.manager.down = true;
    expect(await again(h, first)).toEqual({ endpoint, alreadyAttached: true });
  });

  it('answers so by another path of the same namespace', async () => {
    const h = await host();
    const endpoint = await h.attach('blue', 'web');
    h.kernel.foreignBind('/proc/4711/ns/net' as NetnsPath, '/run/netns/web' as NetnsPath);
    expect(await again(h, { netns: '/proc/4711/ns/net' })).toEqual({ endpoint, alreadyAttached: true });
  });

  it.each<[string, Parameters<typeof again>[1], string]>([
    ['another interface', { ifname: 'eth1' }, 'its ifname is eth0, not eth1'],
    ['another address', { addresses: ['10.66.0.8'] }, 'its addresses are 10.66.0.9/16, without 10.66.0.8'],
    ['another gateway priority', { gatewayPriority: 5 }, 'its gateway priority is 0, not 5'],
    ['other labels', { labels: { tier: 'db' } }, 'its labels are tier=web, not tier=db'],
    ['another container', { netns: '/run/netns/other' }, 'its netns is /run/netns/web, not /run/netns/other'],
  ])('for %s is a conflict that says so', async (_, options, words) => {
    const h = await host();
    await h.attach('blue', 'web', first);
    h.container('other');
    await expect(again(h, options)).rejects.toMatchObject({
      code: 'name-taken',
      message: expect.stringContaining(words),
    });
    await h.settle(seconds(1));
    expect(h.manager.rows('blue')).toEqual(['web']);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('while the first one is at work makes one endpoint of both', async () => {
    const h = await host();
    h.container('web');
    const answers = await Promise.all([again(h), again(h)]);
    expect(answers.map(({ alreadyAttached }) => alreadyAttached)).toEqual([false, true]);
    expect(answers[0]?.endpoint).toEqual(answers[1]?.endpoint);
    expect(h.manager.rows('blue')).toEqual(['web']);
  });

  it('while the first one fails tries by itself', async () => {
    const h = await host();
    h.container('web');
    h.manager.claimFailures.push(new CausewayError('address-exhausted', 'for once'));
    const answers = await Promise.allSettled([again(h), again(h)]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  it('after the agent died between claim and answer goes on with the claim', async () => {
    const h = await host();
    h.container('web');
    // The managers make the claim, and the agent ends before it gets their answer.
    h.manager.loseClaimReplies = 1_000;
    const lost = again(h, first).catch(() => undefined);
    await h.settle();
    const [id] = h.manager.ids('blue');
    await h.restart();
    await lost;
    h.manager.loseClaimReplies = 0;
    const { endpoint, alreadyAttached } = await again(h, first);
    expect({ id: endpoint?.id, labels: endpoint?.labels, alreadyAttached }).toEqual({
      id,
      labels: { tier: 'web' },
      alreadyAttached: false,
    });
    await h.settle(seconds(30));
    expect(h.manager.ids('blue')).toEqual([id]);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('does not take what such a claim left when other is asked for', async () => {
    const h = await host();
    h.container('web');
    h.manager.loseClaimReplies = 1_000;
    const lost = again(h, first).catch(() => undefined);
    await h.settle();
    await h.restart();
    await lost;
    h.manager.loseClaimReplies = 0;
    await expect(again(h, { addresses: ['10.66.0.8'] })).rejects.toMatchObject({ code: 'name-taken' });
  });
});

describe('a container made anew under its name', () => {
  it.each([false, true])(
    'is attached at once, whatever is left of the one before (agent restarted: %s)',
    async (restarted) => {
      const h = await host();
      const before = await h.attach('blue', 'web');
      for (let round = 0; round < 20; round++) {
        h.kernel.foreign({ op: 'netns.delete', netns: '/run/netns/web' as NetnsPath });
        h.container('web');
        if (restarted && round % 5 === 0) await h.restart();
        const { endpoint, alreadyAttached } = await again(h);
        expect(alreadyAttached).toBe(false);
        expect(endpoint?.id).not.toBe(before.id);
        expect(await h.wrong('blue')).toEqual([]);
        expect(h.manager.rows('blue')).toEqual(['web']);
      }
      await h.settle(seconds(30));
      expect(h.manager.rows('blue')).toEqual(['web']);
      expect(await h.wrong('blue')).toEqual([]);
    },
  );

  it('is attached under another path too, as its process has another number', async () => {
    const h = await host();
    await h.attach('blue', 'web');
    h.kernel.foreign({ op: 'netns.delete', netns: '/run/netns/web' as NetnsPath });
    h.container('web2');
    expect((await again(h, { netns: '/run/netns/web2' })).alreadyAttached).toBe(false);
    expect(h.manager.rows('blue')).toEqual(['web']);
  });
});
