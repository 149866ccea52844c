import type { NetnsPath } from '@causeway/datapath';
import { routesOf } from '@causeway/datapath/testing';
import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { idleHost } from '../testing/agent-fixture.ts';
import type { Host } from '../testing/host.ts';

describe('attach', () => {
  it('programs container and peers before it answers, and reports both', async () => {
    const h = await idleHost();
    h.manager.peer('blue', 200);
    const endpoint = await h.attach('blue', 'web');
    expect(endpoint).toMatchObject({ name: 'web', network: 'blue', host: 'h1', mac: '02:42:0a:42:00:0b' });
    expect(await h.wrong('blue')).toEqual([]);
    await h.settle();
    const applied = h.manager.requests('applied').flatMap((message) => message.applied.networks);
    expect(applied.at(-1)).toEqual({ networkId: endpoint.networkId, revision: endpoint.revision });
    expect((await h.agent.api.listSandboxes()).sandboxes).toMatchObject([
      { netns: '/run/netns/web', ifname: 'eth0', state: 'attached', endpoint: { id: endpoint.id } },
    ]);
  });

  it('follows peers as they come, move and go, without a repair', async () => {
    const h = await idleHost();
    await h.attach('blue', 'web');
    const peer = h.manager.peer('blue', 201);
    h.manager.peer('blue', 202);
    await h.settle();
    expect(await h.wrong('blue')).toEqual([]);
    h.manager.remove('blue', peer.id);
    h.manager.peer('blue', 201, '192.0.2.9');
    await h.settle();
    expect(await h.wrong('blue')).toEqual([]);
    expect((await h.status()).repairs).toBe(0n);
  });

  it('puts several endpoints of one network and of two into one container', async () => {
    const h = await idleHost();
    h.manager.network('red', '10.77.0.0/16');
    await h.attach('blue', 'web');
    await h.attach('blue', 'web2', { netns: '/run/netns/web', ifname: 'eth1' });
    await h.attach('red', 'web', { netns: '/run/netns/web', ifname: 'eth2' });
    await h.settle();
    expect([...(await h.wrong('blue')), ...(await h.wrong('red'))]).toEqual([]);
    await h.detach('blue/web');
    await h.settle();
    expect([...(await h.wrong('blue')), ...(await h.wrong('red'))]).toEqual([]);
    expect((await h.status()).repairs).toBe(0n);
  });

  describe('several interfaces of one container, by whatever path each was attached', () => {
    const aliases = ['/run/netns/ra', '/var/run/netns/ra', '/proc/4711/ns/net', '/mnt/ra'];

    /** Attaches interfaces on two networks in turn, each by another path to the same namespace. */
    async function manyHomed(priorities: readonly number[] = []): Promise<Host> {
      const h = await idleHost();
      h.manager.network('red', '10.77.0.0/16');
      const ra = h.container('ra');
      for (const alias of aliases.slice(1)) h.kernel.foreignBind(alias as NetnsPath, ra);
      for (const [n, netns] of aliases.entries()) {
        const options = { netns, ifname: `eth${n}`, gatewayPriority: priorities[n] ?? 0 };
        await h.attach(n % 2 === 0 ? 'blue' : 'red', `e${n}`, options);
      }
      await h.settle(seconds(60));
      return h;
    }

    function defaultRoutes(h: Host): string[] {
      const namespace = h.kernel.namespaces.get('/run/netns/ra' as NetnsPath);
      return (namespace === undefined ? [] : routesOf(namespace))
        .map(({ dev, metric }) => `${dev} ${metric}`)
        .sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)));
    }

    async function drift(h: Host, repair: boolean): Promise<unknown[]> {
      return (await h.clock.until(h.agent.api.verifyHost({ repair }), seconds(60))).drift;
    }

    it('have one default route for each network, the oldest interface first; verify is clean, repair moves nothing', async () => {
      const h = await manyHomed();
      expect(defaultRoutes(h)).toEqual(['eth0 100000', 'eth1 100001']);
      const { writes } = h.kernel;
      for (const repair of [false, true, true]) expect(await drift(h, repair)).toEqual([]);
      expect(h.kernel.writes).toBe(writes);
      expect([...(await h.wrong('blue')), ...(await h.wrong('red'))]).toEqual([]);
      expect(await h.status()).toMatchObject({ repairs: 0n, drift: 0 });
    });

    it('use the one with the largest gateway priority, also after a restart', async () => {
      const h = await manyHomed([0, 0, -3, 7]);
      expect(defaultRoutes(h)).toEqual(['eth3 93003', 'eth0 100000']);
      const { writes } = h.kernel;
      await h.restart();
      await h.settle(seconds(60));
      expect(h.kernel.writes).toBe(writes);
      expect((await h.agent.api.listSandboxes()).sandboxes).toMatchObject([
        { gatewayPriority: 0, routeMetric: 100_000 },
        { gatewayPriority: 0, routeMetric: 100_001 },
        { gatewayPriority: -3, routeMetric: 103_002 },
        { gatewayPriority: 7, routeMetric: 93_003 },
      ]);
    });

    it('hand the way out on when the one that has it is detached', async () => {
      const h = await manyHomed();
      await h.detach('blue/e0');
      await h.settle(seconds(60));
      expect(defaultRoutes(h)).toEqual(['eth1 100001', 'eth2 100002']);
      await h.attach('blue', 'e4', { netns: '/mnt/ra', ifname: 'eth0' });
      await h.settle(seconds(60));
      expect(defaultRoutes(h)).toEqual(['eth1 100001', 'eth2 100002']);
      expect(await drift(h, false)).toEqual([]);
      expect(await h.status()).toMatchObject({ repairs: 0n, drift: 0 });
    });

    it('stay as long as one of the paths leads there, and are lost when none does', async () => {
      const h = await manyHomed();
      for (const path of aliases.slice(0, 3)) h.kernel.foreign({ op: 'netns.delete', netns: path as NetnsPath });
      await h.settle(seconds(60));
      await h.restart();
      await h.settle(seconds(60));
      expect(h.manager.rows('blue')).toEqual(['e0', 'e2']);
      expect(await drift(h, true)).toEqual([]);
      h.kernel.foreign({ op: 'netns.delete', netns: '/mnt/ra' as NetnsPath });
      await h.settle(seconds(60));
      expect([...h.manager.rows('blue'), ...h.manager.rows('red')]).toEqual([]);
    });

    it('refuse a priority out of bounds', async () => {
      const h = await idleHost();
      await expect(h.attach('blue', 'web', { gatewayPriority: 51 })).rejects.toMatchObject({
        code: 'invalid-argument',
        message: expect.stringContaining('from -50 to 50'),
      });
    });
  });

  it('gives the endpoint the labels asked for, and knows them after a restart', async () => {
    const h = await idleHost();
    const requestId = h.uuid();
    const first = await h.attach('blue', 'web', { requestId, labels: { tier: 'web' } });
    expect(first.labels).toEqual({ tier: 'web' });
    await h.restart();
    expect(await h.attach('blue', 'web', { requestId, labels: { tier: 'web' } })).toEqual(first);
  });

  it('is already attached for a repeated call right after a crash that lost the table', async () => {
    const h = await idleHost();
    const { id } = await h.attach('blue', 'web');
    await h.clock.until(h.agent.stop(), seconds(60));
    for (const file of await h.files.list()) if (file.startsWith('network')) await h.files.remove(file);
    h.manager.down = true;
    await h.start();
    const again = h.attach('blue', 'web');
    again.catch(() => undefined);
    await h.settle();
    h.manager.down = false;
    expect((await again).id).toBe(id);
  });

  it('answers the same request again with the same endpoint, also after a restart', async () => {
    const h = await idleHost();
    const requestId = h.uuid();
    const first = await h.attach('blue', 'web', { requestId });
    expect(await h.attach('blue', 'web', { requestId })).toEqual(first);
    await h.restart();
    expect(await h.attach('blue', 'web', { requestId })).toEqual(first);
    expect(h.manager.rows('blue')).toEqual(['web']);
    await expect(h.attach('blue', 'other', { requestId })).rejects.toMatchObject({ code: 'request-reused' });
  });

  it('makes one endpoint of two calls with one request id', async () => {
    const h = await idleHost();
    const requestId = h.uuid();
    h.container('web');
    const calls = [h.attach('blue', 'web', { requestId }), h.attach('blue', 'web', { requestId })];
    const [a, b] = await Promise.all(calls);
    expect(a).toEqual(b);
    expect(h.manager.rows('blue')).toEqual(['web']);
  });

  it('takes nothing twice when the reply to its claim is lost', async () => {
    const h = await idleHost();
    h.manager.loseClaimReplies = 2;
    await h.attach('blue', 'web');
    expect(h.manager.rows('blue')).toEqual(['web']);
  });

  it('gives an interface to one of two simultaneous attaches', async () => {
    const h = await idleHost();
    h.container('web');
    const results = await Promise.allSettled([
      h.attach('blue', 'web', { netns: '/run/netns/web' }),
      h.attach('blue', 'db', { netns: '/run/netns/web' }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(results[1]).toMatchObject({ reason: { code: 'ifname-taken' } });
    await h.settle();
    expect(h.manager.rows('blue')).toEqual(['web']);
  });
});
