import { hostNetns } from '@causeway/datapath';
import { CausewayError, encryptionUnavailable, type Name } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { expectNothingLeft, idleHost } from '../testing/agent-fixture.ts';
import { Host } from '../testing/host.ts';

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
    const h = await idleHost();
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
    const h = await idleHost();
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

describe('an encrypted network', () => {
  it('cannot be attached to on a kernel without ESP, and nothing of the attempt is left', async () => {
    const h = new Host({ hasEsp: false });
    h.manager.network('blue');
    h.manager.changeDriver('blue', 'encrypted-overlay');
    await h.start();
    const why = 'its kernel has no ESP with AES-GCM (ENOSYS)';
    await expect(h.attach('blue', 'web')).rejects.toMatchObject({
      code: 'encryption-unavailable',
      kind: 'unsupported',
      message: expect.stringContaining(`network blue is encrypted, and this host cannot encrypt: ${why}`),
    });
    await expectNothingLeft(h);
    expect((await h.kernel.read(hostNetns, { links: [], sysctls: [] }))?.xfrmPolicies.size).toBe(0);
  });

  it('that the managers refuse makes the host ask its kernel again, and say what it answers', async () => {
    const h = new Host();
    h.manager.network('blue');
    h.manager.changeDriver('blue', 'encrypted-overlay');
    await h.start();
    h.kernel.failNext('xfrmState.add', 'EPROTONOSUPPORT', 1);
    await expect(h.attach('blue', 'web')).rejects.toMatchObject({ code: 'encryption-unavailable' });
    const said = async (): Promise<string | undefined> => (await h.status()).node?.health?.cannotEncrypt;
    expect(await said()).toContain('its kernel has no ESP with AES-GCM (EPROTONOSUPPORT)');
    h.manager.claimFailures.push(encryptionUnavailable('blue' as Name, 'its kernel has no ESP'));
    await expect(h.attach('blue', 'web')).rejects.toMatchObject({ code: 'encryption-unavailable' });
    expect(await said()).toBe('');
    await h.attach('blue', 'web');
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('is not built for a container of which the host has a record: status, log and verify name the network', async () => {
    const h = await idleHost({ hasEsp: false });
    await h.attach('blue', 'web');
    const before = (await h.status()).kernelWrites;
    h.manager.changeDriver('blue', 'encrypted-overlay');
    h.manager.peer('blue', 200);
    await h.settle(seconds(70));
    expect((await h.status()).kernelWrites).toBe(before);
    expect(h.events().filter((event) => event === 'network.not-encrypted')).toHaveLength(1);
    const { drift } = await h.agent.api.verifyHost({ repair: false });
    expect(drift).toMatchObject([{ kind: 'driver', key: 'encrypted-overlay', actual: 'not made' }]);
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
    const h = await idleHost();
    h.kernel.foreignLink(h.container('web'), 'dummy0');
    const call = h.agent.api.attach({ ...good, ...fault });
    await expect(call).rejects.toMatchObject({ code, message: expect.stringContaining(named) });
    expect(h.manager.rows('blue')).toEqual([]);
    expect(h.kernel.writes).toBe(0);
  });

  it('the namespace of an overlay, and the interface of another endpoint', async () => {
    const h = await idleHost();
    await h.attach('blue', 'web');
    await expect(h.attach('blue', 'db', { netns: h.overlay('blue') })).rejects.toMatchObject({ code: 'netns-invalid' });
    await expect(h.attach('blue', 'db', { netns: '/run/netns/web' })).rejects.toMatchObject({ code: 'ifname-taken' });
    expect(h.manager.rows('blue')).toEqual(['web']);
  });
});

describe('attach that fails leaves nothing', () => {
  it('when the managers refuse', async () => {
    const h = await idleHost();
    h.manager.claimFailures.push(new CausewayError('address-exhausted', 'network blue has no address left'));
    await expect(h.attach('blue', 'web')).rejects.toMatchObject({ code: 'address-exhausted' });
    await expectNothingLeft(h);
  });

  it('when no manager answers', async () => {
    const h = await idleHost();
    h.manager.down = true;
    await expect(h.attach('blue', 'web')).rejects.toMatchObject({ code: 'manager-unavailable' });
    h.manager.down = false;
    await expectNothingLeft(h);
  });

  it('when the table does not come', async () => {
    const h = await idleHost();
    h.manager.silent = true;
    await expect(h.attach('blue', 'web')).rejects.toMatchObject({ code: 'timed-out' });
    h.manager.silent = false;
    await expectNothingLeft(h);
  });

  it('when the disk is full, and works when it is not any more', async () => {
    const h = await idleHost();
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
      const h = await idleHost();
      h.kernel.failNext((op) => op.op === kind && (op.op !== 'link.add' || op.link.kind === 'veth'), 'EPERM', 1_000);
      await expect(h.attach('blue', 'web')).rejects.toMatchObject({
        code: 'kernel-refused',
        message: expect.stringContaining('EPERM'),
      });
      await expectNothingLeft(h);
    },
  );

  it('when the container dies meanwhile', async () => {
    const h = await idleHost();
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
    const h = await idleHost();
    h.kernel.failNext((op) => op.op === 'link.add' && op.link.kind === 'vxlan', 'EEXIST', 3);
    await h.attach('blue', 'web');
    expect(await h.wrong('blue')).toEqual([]);
    expect((await h.status()).drift).toBe(0);
  });

  it('and is not hindered by what the kernel refuses another endpoint', async () => {
    const h = await idleHost();
    await h.attach('blue', 'web');
    h.kernel.failNext((op) => op.netns === '/run/netns/web', 'EPERM', 1_000);
    h.kernel.foreign({ op: 'link.delete', netns: h.overlay('blue'), name: 'v000000000001' });
    await h.settle();
    expect((await h.status()).drift).toBeGreaterThan(0);
    await h.attach('blue', 'db');
  });
});
