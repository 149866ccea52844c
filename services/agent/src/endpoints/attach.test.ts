import type { NetnsPath } from '@causeway/datapath';
import { routesOf } from '@causeway/datapath/testing';
import { CausewayError, type EndpointId } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { Host } from '../testing/host.ts';

async function host(): Promise<Host> {
  const made = new Host();
  made.manager.network('blue');
  return await made.start();
}

/** Nothing of an endpoint is left: not at the managers, not on disk, not in the kernel. */
async function expectNothingLeft(h: Host): Promise<void> {
  await h.settle(seconds(1));
  expect(h.manager.rows('blue')).toEqual([]);
  expect((await h.agent.api.listSandboxes()).sandboxes).toEqual([]);
  expect(await h.kernel.ownNetns()).toEqual([]);
  for (const [path, { links }] of h.kernel.namespaces) {
    if (path.startsWith('/run/netns/')) expect([...links.keys()], path).toEqual([]);
  }
}

describe('attach', () => {
  it('programs container and peers before it answers, and reports both', async () => {
    const h = await host();
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
    const h = await host();
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
    const h = await host();
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
      const h = await host();
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
      const h = await host();
      await expect(h.attach('blue', 'web', { gatewayPriority: 51 })).rejects.toMatchObject({
        code: 'invalid-argument',
        message: expect.stringContaining('from -50 to 50'),
      });
    });
  });

  it('gives the endpoint the labels asked for, and knows them after a restart', async () => {
    const h = await host();
    const requestId = h.uuid();
    const first = await h.attach('blue', 'web', { requestId, labels: { tier: 'web' } });
    expect(first.labels).toEqual({ tier: 'web' });
    await h.restart();
    expect(await h.attach('blue', 'web', { requestId, labels: { tier: 'web' } })).toEqual(first);
  });

  it('is already attached for a repeated call right after a crash that lost the table', async () => {
    const h = await host();
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
    const h = await host();
    const requestId = h.uuid();
    const first = await h.attach('blue', 'web', { requestId });
    expect(await h.attach('blue', 'web', { requestId })).toEqual(first);
    await h.restart();
    expect(await h.attach('blue', 'web', { requestId })).toEqual(first);
    expect(h.manager.rows('blue')).toEqual(['web']);
    await expect(h.attach('blue', 'other', { requestId })).rejects.toMatchObject({ code: 'request-reused' });
  });

  it('makes one endpoint of two calls with one request id', async () => {
    const h = await host();
    const requestId = h.uuid();
    h.container('web');
    const calls = [h.attach('blue', 'web', { requestId }), h.attach('blue', 'web', { requestId })];
    const [a, b] = await Promise.all(calls);
    expect(a).toEqual(b);
    expect(h.manager.rows('blue')).toEqual(['web']);
  });

  it('takes nothing twice when the reply to its claim is lost', async () => {
    const h = await host();
    h.manager.loseClaimReplies = 2;
    await h.attach('blue', 'web');
    expect(h.manager.rows('blue')).toEqual(['web']);
  });

  it('gives an interface to one of two simultaneous attaches', async () => {
    const h = await host();
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

describe('a network whose driver only a later version knows', () => {
  const later = 'macvlan';

  it('cannot be attached to by this agent, and nothing of the attempt is left', async () => {
    const h = new Host();
    h.manager.network('blue');
    h.manager.changeDriver('blue', later);
    await h.start();
    await expect(h.attach('blue', 'web')).rejects.toMatchObject({
      code: 'driver-unknown',
      message: expect.stringContaining('"macvlan", which the agent of this host does not know'),
    });
    await expectNothingLeft(h);
  });

  it('keeps what the kernel holds as it is, is not said to be applied, and is named by status, log and verify', async () => {
    const h = await host();
    await h.attach('blue', 'web');
    const before = (await h.status()).kernelWrites;
    h.manager.changeDriver('blue', later);
    h.manager.peer('blue', 200);
    await h.settle(seconds(70));
    expect((await h.status()).kernelWrites).toBe(before);
    expect(h.events().filter((event) => event === 'network.driver-unknown')).toHaveLength(1);
    const { drift, networks } = await h.status();
    expect(drift).toBe(1);
    expect(networks[0]?.applied).not.toBe(networks[0]?.revision);
    const verified = await h.agent.api.verifyHost({ repair: false });
    expect(verified.drift).toMatchObject([{ kind: 'driver', key: 'macvlan', actual: 'unknown to this agent' }]);
  });

  it('is built when the agent comes to know the driver', async () => {
    const h = await host();
    await h.attach('blue', 'web');
    h.manager.changeDriver('blue', later);
    h.manager.peer('blue', 200);
    await h.settle(seconds(1));
    h.manager.changeDriver('blue', 'overlay');
    await h.settle(seconds(1));
    expect(await h.wrong('blue')).toEqual([]);
    expect((await h.status()).drift).toBe(0);
  });
});

describe('attach, refused before anything is taken', () => {
  const uuid = '00000000-0000-4000-8000-000000000000';
  const good = {
    requestId: uuid,
    network: 'blue',
    name: 'web',
    netns: '/run/netns/web',
    ifname: '',
    addresses: [],
    labels: {},
    gatewayPriority: 0,
  };
  it.each([
    ['a request id that is no UUID', { requestId: 'x' }, 'invalid-argument', 'request_id'],
    ['no network', { network: '' }, 'invalid-argument', 'network'],
    ['a bad name', { name: 'a b' }, 'name-invalid', 'name'],
    ['a relative path', { netns: 'web' }, 'netns-invalid', '"web"'],
    ['a path that is not a namespace', { netns: '/run/netns/none' }, 'netns-invalid', '/run/netns/none'],
    ['a long ifname', { ifname: 'eth0123456789012' }, 'ifname-invalid', '16 bytes'],
    ['an ifname with a slash', { ifname: 'a/b' }, 'ifname-invalid', 'a/b'],
    ['an ifname that asks for a number', { ifname: 'eth%d' }, 'ifname-invalid', 'eth%d'],
    ['the loopback', { ifname: 'lo' }, 'ifname-invalid', 'reserved'],
    ['an address that is none', { addresses: ['10.66.0.256'] }, 'address-invalid', '10.66.0.256'],
    ['two addresses of a family', { addresses: ['10.66.0.8', '10.66.0.9'] }, 'invalid-argument', 'at most one IPv4'],
    ['a bad label', { labels: { 'a b': 'c' } }, 'invalid-argument', 'label key "a b"'],
    ['an interface that is there', { ifname: 'dummy0' }, 'ifname-taken', 'dummy0'],
    ['an unknown network', { network: 'green' }, 'network-unknown', 'green'],
  ])('%s', async (_, fault, code, named) => {
    const h = await host();
    h.kernel.foreignLink(h.container('web'), 'dummy0');
    const call = h.agent.api.attach({ ...good, ...fault });
    await expect(call).rejects.toMatchObject({ code, message: expect.stringContaining(named) });
    expect(h.manager.rows('blue')).toEqual([]);
    expect(h.kernel.writes).toBe(0);
  });

  it('the namespace of an overlay, and the interface of another endpoint', async () => {
    const h = await host();
    await h.attach('blue', 'web');
    await expect(h.attach('blue', 'db', { netns: h.overlay('blue') })).rejects.toMatchObject({ code: 'netns-invalid' });
    await expect(h.attach('blue', 'db', { netns: '/run/netns/web' })).rejects.toMatchObject({ code: 'ifname-taken' });
    expect(h.manager.rows('blue')).toEqual(['web']);
  });
});

describe('attach that fails leaves nothing', () => {
  it('when the managers refuse', async () => {
    const h = await host();
    h.manager.claimFailures.push(new CausewayError('address-exhausted', 'network blue has no address left'));
    await expect(h.attach('blue', 'web')).rejects.toMatchObject({ code: 'address-exhausted' });
    await expectNothingLeft(h);
  });

  it('when no manager answers', async () => {
    const h = await host();
    h.manager.down = true;
    await expect(h.attach('blue', 'web')).rejects.toMatchObject({ code: 'manager-unavailable' });
    h.manager.down = false;
    await expectNothingLeft(h);
  });

  it('when the table does not come', async () => {
    const h = await host();
    h.manager.silent = true;
    await expect(h.attach('blue', 'web')).rejects.toMatchObject({ code: 'timed-out' });
    h.manager.silent = false;
    await expectNothingLeft(h);
  });

  it('when the disk is full, and works when it is not any more', async () => {
    const h = await host();
    const requestId = h.uuid();
    h.files.capacity = 0;
    await expect(h.attach('blue', 'web', { requestId })).rejects.toMatchObject({ code: 'disk-full' });
    await expectNothingLeft(h);
    h.files.capacity = 1e6;
    await h.attach('blue', 'web', { requestId });
    expect(await h.wrong('blue')).toEqual([]);
  });

  it.each(['link.add', 'address.add', 'route.set'] as const)(
    'when the kernel refuses %s in the container',
    async (kind) => {
      const h = await host();
      h.kernel.failNext((op) => op.op === kind && (op.op !== 'link.add' || op.link.kind === 'veth'), 'EPERM', 1_000);
      await expect(h.attach('blue', 'web')).rejects.toMatchObject({
        code: 'kernel-refused',
        message: expect.stringContaining('EPERM'),
      });
      await expectNothingLeft(h);
    },
  );

  it('when the container dies meanwhile', async () => {
    const h = await host();
    h.manager.silent = true;
    const call = h.attach('blue', 'web');
    call.catch(() => undefined);
    await h.settle();
    h.kernel.foreign({ op: 'netns.delete', netns: '/run/netns/web' as never });
    h.manager.silent = false;
    h.manager.peer('blue', 200);
    await expect(call).rejects.toMatchObject({ code: 'netns-invalid', message: expect.stringContaining('went away') });
    h.manager.remove('blue', ...h.manager.ids('blue'));
    await expectNothingLeft(h);
  });

  it('but outlasts a VNI that a namespace under destruction holds for a moment', async () => {
    const h = await host();
    h.kernel.failNext((op) => op.op === 'link.add' && op.link.kind === 'vxlan', 'EEXIST', 3);
    await h.attach('blue', 'web');
    expect(await h.wrong('blue')).toEqual([]);
    expect((await h.status()).drift).toBe(0);
  });

  it('and is not hindered by what the kernel refuses another endpoint', async () => {
    const h = await host();
    await h.attach('blue', 'web');
    h.kernel.failNext((op) => op.netns === '/run/netns/web', 'EPERM', 1_000);
    h.kernel.foreign({ op: 'link.delete', netns: h.overlay('blue'), name: 'v000000000001' });
    await h.settle();
    expect((await h.status()).drift).toBeGreaterThan(0);
    await h.attach('blue', 'db');
  });
});

describe('detach', () => {
  it.each(['web', 'blue/web', 'ID'])(
    'by %s removes all of it, and a second one knows nothing of it',
    async (target) => {
      const h = await host();
      const { id } = await h.attach('blue', 'web');
      await h.detach(target.replace('ID', id));
      await expectNothingLeft(h);
      await expect(h.detach('web')).rejects.toMatchObject({ code: 'endpoint-unknown' });
    },
  );

  it('answers the same request again with the same revision', async () => {
    const h = await host();
    await h.attach('blue', 'web');
    const requestId = h.uuid();
    expect(await h.detach('web', requestId)).toBe(await h.detach('web', requestId));
  });

  it('asks which of two', async () => {
    const h = await host();
    h.manager.network('red', '10.77.0.0/16');
    await h.attach('blue', 'web');
    await h.attach('red', 'web', { netns: '/run/netns/web', ifname: 'eth1' });
    await expect(h.detach('web')).rejects.toMatchObject({
      code: 'name-ambiguous',
      message: expect.stringContaining('blue/web, red/web'),
    });
    await h.detach('red/web');
    expect(h.manager.rows('red')).toEqual([]);
  });

  it('does nothing by half when no manager answers', async () => {
    const h = await host();
    await h.attach('blue', 'web');
    h.manager.down = true;
    await expect(h.detach('web')).rejects.toMatchObject({ code: 'manager-unavailable' });
    h.manager.down = false;
    await h.settle(seconds(2));
    expect(h.manager.rows('blue')).toEqual(['web']);
    expect(await h.wrong('blue')).toEqual([]);
    await h.detach('web');
    await expectNothingLeft(h);
  });

  it('frees what is claimed for this host without a container', async () => {
    const h = await host();
    const node = (await h.status()).node?.id;
    const { id } = h.manager.foreignClaim('blue', 7, node as never);
    await h.settle();
    await h.detach('ghost-7');
    expect(h.manager.released).toEqual([id as EndpointId]);
  });
});
