import { hostNetns, type NetnsPath, type XfrmPolicy } from '@causeway/datapath';
import { PossibleSas } from '@causeway/encryption';
import { milliseconds, seconds } from '@causeway/runtime';
import { describe, expect, it, vi } from 'vitest';
import { Host } from '../testing/host.ts';

/** A host at managers that know of no keys: all that it has are blocks. */
async function hostOfVault(): Promise<Host> {
  const h = new Host();
  h.manager.network('blue');
  h.manager.changeDriver('blue', 'encrypted-overlay');
  return await h.start();
}

async function policiesOf({ kernel }: Host): Promise<readonly XfrmPolicy[]> {
  const found = await kernel.read(hostNetns, { links: [], sysctls: [] });
  return [...(found?.xfrmPolicies.values() ?? [])];
}

async function isGuarded({ kernel }: Host): Promise<boolean> {
  const found = await kernel.read(hostNetns, { links: [], sysctls: [] });
  return found?.portGuards.get(4793) === 'whole';
}

/** Each op of the agent, with the policies and tunnels as it leaves them. */
function record(h: Host): string[] {
  const ops: string[] = [];
  const { apply } = h.kernel;
  h.kernel.apply = async (all, expected) => {
    ops.push(...all.filter(({ netns }) => !netns.endsWith('cw-ffffffffff')).map(({ op }) => op));
    return await apply.call(h.kernel, all, expected);
  };
  return ops;
}

describe('the blocks', () => {
  it('come before the tunnel of the first encrypted network, and go after the last', async () => {
    const h = await hostOfVault();
    const ops = record(h);
    expect(await policiesOf(h)).toEqual([]);
    await h.attach('blue', 'web');
    expect(ops.lastIndexOf('xfrmPolicy.set')).toBeLessThan(ops.indexOf('link.add'));
    expect((await policiesOf(h)).map(({ action }) => action.kind)).toEqual(Array(6).fill('block'));
    ops.length = 0;
    await h.detach('web');
    await h.settle(seconds(2));
    expect(await policiesOf(h)).toEqual([]);
    expect(ops.indexOf('xfrmPolicy.delete')).toBeGreaterThan(ops.lastIndexOf('link.delete'));
  });

  it('stay as long as a tunnel of a lost network is there', async () => {
    const h = await hostOfVault();
    await h.attach('blue', 'web');
    await h.clock.until(h.agent.stop(), seconds(60));
    h.manager.remove('blue', ...h.manager.ids('blue'));
    h.kernel.failNext('link.delete', 'EBUSY', 100);
    h.kernel.failNext(({ op, netns }) => op === 'netns.delete' && netns === h.overlay('blue'), 'EBUSY', 100);
    await h.start();
    await h.settle(seconds(10));
    expect(await policiesOf(h)).toHaveLength(6);
    h.kernel.failNoMore();
    await h.settle(seconds(60));
    expect([await policiesOf(h), await h.kernel.ownNetns()]).toEqual([[], []]);
  });

  it('that the kernel refuses keep the network from being made, until they are there', async () => {
    const h = await hostOfVault();
    h.kernel.failNext('xfrmPolicy.set', 'EEXIST', 1_000);
    await expect(h.attach('blue', 'web')).rejects.toMatchObject({
      code: 'encryption-unavailable',
      message: expect.stringContaining('dir in priority 25599 action block: EEXIST'),
    });
    expect(await h.kernel.ownNetns()).toEqual([]);
    h.kernel.failNoMore();
    await h.attach('blue', 'web');
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('are found after a restart, and nothing is written', async () => {
    const h = await hostOfVault();
    await h.attach('blue', 'web');
    await h.settle(seconds(1));
    const { writes } = h.kernel;
    await h.clock.until(h.agent.stop(), seconds(60));
    h.manager.down = true;
    await h.start();
    await h.settle(seconds(30));
    h.manager.down = false;
    await h.settle(seconds(30));
    // The agent asks the kernel whether it has ESP, in a namespace that it removes again.
    expect(h.kernel.writes - writes).toBeLessThanOrEqual(4);
    expect(await policiesOf(h)).toHaveLength(6);
  });

  it('that another program deletes are drift: verified, repaired, and reported', async () => {
    const h = await hostOfVault();
    await h.attach('blue', 'web');
    await h.settle(seconds(1));
    const [policy] = await policiesOf(h);
    if (policy === undefined) throw new Error('no policy');
    h.kernel.foreign({ op: 'xfrmPolicy.delete', netns: hostNetns, policy });
    const { drift } = await h.clock.until(h.agent.api.verifyHost({ repair: true }), seconds(5));
    expect(drift).toMatchObject([{ network: '', kind: 'xfrm policy', actual: '' }]);
    await h.settle(milliseconds(200));
    expect(await policiesOf(h)).toHaveLength(6);
    expect(await h.status()).toMatchObject({ drift: 0, repairs: 1n });
    expect((await h.clock.until(h.agent.api.verifyHost({ repair: false }), seconds(5))).drift).toEqual([]);
  });
});

describe('the guard', () => {
  it('is there before the tunnel of the first encrypted network, and goes after the last', async () => {
    const h = await hostOfVault();
    const ops = record(h);
    await h.attach('blue', 'web');
    expect(ops.filter((op) => op === 'portGuard.set')).toHaveLength(1);
    expect(ops.indexOf('portGuard.set')).toBeLessThan(ops.indexOf('link.add'));
    ops.length = 0;
    await h.detach('web');
    await h.settle(seconds(2));
    expect(await isGuarded(h)).toBe(false);
    expect(ops.indexOf('portGuard.delete')).toBeGreaterThan(ops.lastIndexOf('link.delete'));
  });

  it('is back within a second when another program flushes nftables', async () => {
    const h = await hostOfVault();
    await h.attach('blue', 'web');
    await h.settle(seconds(1));
    h.kernel.foreign({ op: 'portGuard.delete', netns: hostNetns, port: 4793 });
    await h.settle(seconds(1));
    expect(await isGuarded(h)).toBe(true);
    expect(await h.status()).toMatchObject({ drift: 0, repairs: 1n });
  });

  it('that the kernel does not take changes nothing else, and is logged once', async () => {
    const h = await hostOfVault();
    h.kernel.failNext('portGuard.set', 'EOPNOTSUPP', 1_000);
    await h.attach('blue', 'web');
    await h.settle(seconds(150));
    expect(await h.wrong('blue')).toEqual([]);
    expect(h.events().filter((event) => event === 'encryption.without-guard')).toHaveLength(1);
    expect(h.events()).not.toContain('kernel.refused');
    expect((await h.clock.until(h.agent.api.verifyHost({ repair: true }), seconds(5))).drift).toEqual([]);
    h.kernel.failNoMore();
    await h.settle(seconds(70));
    expect(await isGuarded(h)).toBe(true);
  });
});

it('a host without encrypted networks has no policies, and writes no keys', async () => {
  const h = new Host();
  h.manager.network('blue');
  await h.start();
  await h.attach('blue', 'web');
  await h.settle(seconds(60));
  expect([await policiesOf(h), h.encryption.keyFile.written]).toEqual([[], []]);
});

it('a network that comes to be encrypted waits for the blocks, and one that ceases to be gives them up', async () => {
  const h = new Host();
  h.manager.network('blue');
  await h.start();
  await h.attach('blue', 'web');
  const ops = record(h);
  h.manager.changeDriver('blue', 'encrypted-overlay');
  await h.settle(seconds(2));
  expect(await h.wrong('blue')).toEqual([]);
  expect(ops.lastIndexOf('xfrmPolicy.set')).toBeLessThan(ops.indexOf('link.add'));
  ops.length = 0;
  const forgotten = vi.spyOn(PossibleSas.prototype, 'clear');
  h.manager.changeDriver('blue', 'overlay');
  await h.settle(seconds(5));
  expect(forgotten).toHaveBeenCalled();
  forgotten.mockRestore();
  expect([await h.wrong('blue'), await policiesOf(h)]).toEqual([[], []]);
  expect(ops.indexOf('xfrmPolicy.delete')).toBeGreaterThan(ops.lastIndexOf('link.add'));
});

it('a process that has the port of the tunnels before them keeps the host from encrypting, as long as it has the port', async () => {
  const h = await hostOfVault();
  h.encryption.stranger = 'process 12 (nc)';
  await expect(h.attach('blue', 'web')).rejects.toMatchObject({
    code: 'encryption-unavailable',
    message: expect.stringContaining('process 12 (nc) has UDP port 4793'),
  });
  expect((await policiesOf(h)).filter(({ action }) => action.kind !== 'block')).toEqual([]);
  expect([h.encryption.keyFile.written, await h.kernel.ownNetns()]).toEqual([[], []]);
  h.encryption.stranger = undefined;
  await h.settle(seconds(2));
  await h.attach('blue', 'web');
  expect(await h.wrong('blue')).toEqual([]);
});

it('a key file that cannot be written refuses the attach and names the reason; then the next one succeeds', async () => {
  const h = await hostOfVault();
  h.encryption.keyFile.failure = new Error('EIO: the tmpfs is gone');
  await expect(h.attach('blue', 'web')).rejects.toMatchObject({
    code: 'encryption-unavailable',
    message: expect.stringContaining('EIO: the tmpfs is gone'),
  });
  expect(h.events().filter((event) => event === 'encryption.failed')).toHaveLength(1);
  h.encryption.keyFile.failure = undefined;
  await h.settle(seconds(2));
  await h.attach('blue', 'web');
  expect(h.kernel.namespaces.get('/run/netns/web' as NetnsPath)?.links.has('eth0')).toBe(true);
});
