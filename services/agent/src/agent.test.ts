import type { NetnsPath } from '@causeway/datapath';
import { routesOf, tunnelsOf } from '@causeway/datapath/testing';
import { CausewayError, Ip, Mac, type Name, type NodeId } from '@causeway/model';
import type { VerifyHostResponse } from '@causeway/proto/gen/causeway/v1/agent_service.js';
import { milliseconds, seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { createAgent } from './agent.ts';
import { kernelCallsAtOnce } from './reconcile/kernel-turns.ts';
import { Host } from './testing/host.ts';

/** A host with one container on network blue, and two peers elsewhere. */
async function host(): Promise<Host> {
  const h = new Host();
  h.manager.network('blue');
  await h.start();
  h.manager.peer('blue', 200);
  h.manager.peer('blue', 201);
  await h.attach('blue', 'web');
  await h.settle(seconds(1));
  return h;
}

/** Starts the agent on tables as they were on disk some time ago, for a minute in which no manager answers. */
async function startOn(old: Host['files']['contents'], h: Host): Promise<void> {
  await h.clock.until(h.agent.stop(), seconds(60));
  for (const [name, bytes] of old) if (name.startsWith('network-')) h.files.contents.set(name, bytes);
  h.manager.down = true;
  await h.start();
  await h.settle(seconds(60));
}

const ghost = Mac('02:42:00:00:00:99');

describe('drift is repaired, counted and reported', () => {
  const netns = '/run/netns/cw-00000000aa' as NetnsPath;
  const peer = Mac('02:42:0a:42:00:c8');
  it.each<[string, (h: Host) => void, number]>([
    [
      'an FDB entry is deleted',
      (h) => h.kernel.foreign({ op: 'fdb.delete', netns, dev: 'vxlan0', mac: peer, target: Ip('192.0.2.2') }),
      1,
    ],
    [
      'a foreign FDB entry',
      (h) => h.kernel.foreign({ op: 'fdb.set', netns, dev: 'vxlan0', mac: ghost, target: Ip('192.0.2.7') }),
      1,
    ],
    [
      'a second VTEP for a MAC',
      (h) => h.kernel.foreignFdbAppend(netns, 'vxlan0', Mac('00:00:00:00:00:00'), Ip('192.0.2.7')),
      1,
    ],
    ['the neighbours are flushed', (h) => h.kernel.foreignNeighbourFlush(netns, 'vxlan0'), 2],
    [
      'vxlan0 is set down',
      (h) => h.kernel.foreign({ op: 'link.set', netns, name: 'vxlan0', change: { up: false } }),
      3,
    ],
    [
      "the container's end is set down",
      (h) =>
        h.kernel.foreign({ op: 'link.set', netns: '/run/netns/web' as NetnsPath, name: 'eth0', change: { up: false } }),
      2,
    ],
    ['the host end is deleted', (h) => h.kernel.foreign({ op: 'link.delete', netns, name: 'v000000000003' }), 1],
    ['the namespace is deleted', (h) => h.kernel.foreign({ op: 'netns.delete', netns }), 1],
    [
      'notifications are lost',
      (h) => h.kernel.overrun(netns, { op: 'neighbour.delete', netns, dev: 'vxlan0', ip: Ip('10.66.0.200') }),
      1,
    ],
  ])('%s', async (_, happen, atLeast) => {
    const h = await host();
    const before = h.kernel.writes;
    happen(h);
    await h.settle(seconds(2));
    expect(await h.wrong('blue')).toEqual([]);
    const { repairs, drift, kernelWrites } = await h.status();
    expect(repairs).toBeGreaterThanOrEqual(BigInt(atLeast));
    expect(drift).toBe(0);
    // Steps that the kernel refused are not counted as writes.
    expect(Number(kernelWrites)).toBeGreaterThan(before);
    expect(Number(kernelWrites)).toBeLessThanOrEqual(h.kernel.writes);
    const reported = h.manager.requests('report').flatMap(({ report }) => report.repaired);
    expect(BigInt(reported.length)).toBe(repairs);
    expect(reported[0]).toMatchObject({ host: 'h1', network: 'blue' });
    const quiet = h.kernel.writes;
    expect(quiet).toBeGreaterThan(before);
    await h.settle(seconds(120));
    expect(h.kernel.writes).toBe(quiet);
  });

  it('in a container, where the agent has no watch, by the sweep', async () => {
    const h = await host();
    const container = '/run/netns/web' as NetnsPath;
    const namespace = h.kernel.namespaces.get(container);
    const [route] = namespace === undefined ? [] : routesOf(namespace);
    h.kernel.foreign({ op: 'route.delete', netns: container, route: route as never });
    await h.settle(seconds(31));
    expect(await h.wrong('blue')).toEqual([]);
    expect((await h.status()).repairs).toBe(1n);
  });

  it('within seconds while the table never stops changing', async () => {
    const h = await host();
    const overlay = h.overlay('blue');
    const { mac } = h.manager.peer('blue', 202);
    await h.settle();
    // One change in each turn of the event loop, so that there is always a change that the agent has not followed yet.
    let changes = 0;
    const yieldTurn = h.clock.yield.bind(h.clock);
    const read = h.kernel.apply.bind(h.kernel);
    h.kernel.apply = async (...args) => {
      if (changes++ < 2_000) h.manager.peer('blue', 300 + (changes % 50), `192.0.2.${2 + (changes % 7)}`);
      await h.clock.sleep(milliseconds(10));
      return await read(...args);
    };
    h.manager.peer('blue', 299);
    await yieldTurn();
    h.kernel.foreign({ op: 'fdb.delete', netns: overlay, dev: 'vxlan0', mac, target: Ip('192.0.2.2') });
    await h.settle(seconds(3));
    expect(changes).toBeGreaterThan(100);
    expect(changes).toBeLessThan(2_000);
    const tunnel = h.kernel.namespaces.get(overlay)?.links.get('vxlan0');
    expect(tunnel !== undefined && tunnelsOf(tunnel).has(mac)).toBe(true);
    changes = 2_000;
    await h.settle(seconds(1));
  });

  it('is standing drift while the kernel refuses, and none afterwards', async () => {
    const h = await host();
    h.kernel.failNext((op) => op.op === 'fdb.set', 'ENOBUFS', 4);
    h.kernel.foreign({ op: 'fdb.delete', netns, dev: 'vxlan0', mac: peer, target: Ip('192.0.2.2') });
    await h.settle(milliseconds(100));
    expect(await h.status()).toMatchObject({ drift: 1, repairs: 0n });
    await h.settle(seconds(10));
    expect((await h.status()).drift).toBe(0);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('is what verify shows, and repair removes', async () => {
    const h = await host();
    expect(await h.agent.api.verifyHost({ repair: false })).toEqual({ drift: [] });
    h.kernel.foreign({ op: 'fdb.set', netns, dev: 'vxlan0', mac: ghost, target: Ip('192.0.2.7') });
    const found = [
      { host: 'h1', network: 'blue', kind: 'fdb', key: `vxlan0 ${ghost}`, actual: '192.0.2.7', desired: '' },
    ];
    expect(await h.agent.api.verifyHost({ repair: true })).toEqual({ drift: found });
    expect(await h.agent.api.verifyHost({ repair: false })).toEqual({ drift: [] });
  });

  it('is shown to a caller that asks while the agent looks already', async () => {
    const h = await host();
    const read = h.kernel.read.bind(h.kernel);
    let answer: Promise<VerifyHostResponse> | undefined;
    h.kernel.read = async (...of) => {
      const found = await read(...of);
      if (answer === undefined) {
        h.kernel.foreign({ op: 'fdb.set', netns, dev: 'vxlan0', mac: ghost, target: Ip('192.0.2.7') });
        answer = h.agent.api.verifyHost({ repair: false });
      }
      return found;
    };
    await h.settle(seconds(31));
    expect(await answer).toMatchObject({ drift: [{ kind: 'fdb', key: `vxlan0 ${ghost}` }] });
  });

  it('is not said to be none where the kernel cannot be read', async () => {
    const h = await host();
    h.manager.network('green', '10.67.0.0/16');
    await h.attach('green', 'db');
    const read = h.kernel.read.bind(h.kernel);
    h.kernel.read = (path, ...of) => (path === netns ? Promise.reject(new Error('EMFILE')) : read(path, ...of));
    const green = h.overlay('green');
    h.kernel.foreign({ op: 'fdb.set', netns: green, dev: 'vxlan0', mac: ghost, target: Ip('192.0.2.7') });
    expect((await h.agent.api.verifyHost({ repair: false })).drift).toMatchObject([
      { network: 'blue', kind: 'netns', key: netns, actual: 'cannot be read: EMFILE', desired: 'present' },
      { network: 'green', kind: 'fdb' },
    ]);
  });

  it('is looked for in a few networks at a time, so that an attach need not wait for all of them', async () => {
    const h = await new Host().start();
    for (let n = 0; n < 40; n++) {
      h.manager.network(`n${n}`, `10.${n}.0.0/16`);
      await h.attach(`n${n}`, `web-${n}`);
    }
    await h.settle(seconds(1));
    const read = h.kernel.read.bind(h.kernel);
    const seen = new Set<string>();
    let [running, most] = [0, 0];
    h.kernel.read = async (path, ...of) => {
      seen.add(path);
      most = Math.max(most, ++running);
      // While the kernel removes links, all calls wait.
      await h.clock.sleep(milliseconds(50), new AbortController().signal);
      return await read(path, ...of).finally(() => running--);
    };
    const verified = h.agent.api.verifyHost({ repair: false });
    await h.attach('n0', 'db');
    const seenBy = seen.size;
    expect((await h.clock.until(verified, seconds(60))).drift).toEqual([]);
    // Plus one call of the attach itself.
    expect(most).toBeLessThanOrEqual(kernelCallsAtOnce + 1);
    expect(seenBy).toBeLessThan(20);
    // This includes the new container's namespace and the host's own.
    expect(seen.size).toBe(2 * 40 + 2);
  });

  it('is reported to a manager that asks', async () => {
    const h = await host();
    h.kernel.foreign({ op: 'fdb.set', netns, dev: 'vxlan0', mac: ghost, target: Ip('192.0.2.7') });
    h.manager.say({ oneofKind: 'verify', verify: { call: 7n, repair: false } });
    await h.settle();
    expect(h.manager.requests('verifyResult')).toMatchObject([
      { verifyResult: { call: 7n, error: '', drift: [{ kind: 'fdb' }] } },
    ]);
  });
});

describe('applied', () => {
  it('is not said of a release while the container still has what was released', async () => {
    const h = await host();
    await h.attach('blue', 'db');
    await h.settle(seconds(1));
    const applied = (): bigint | undefined => h.manager.requests('applied').at(-1)?.applied.networks[0]?.revision;
    const before = applied();
    const release = h.manager.releaseEndpoint;
    h.manager.releaseEndpoint = async (address, request, limits) => {
      await release(address, request, limits);
      await h.clock.sleep(limits.timeout);
      throw new CausewayError('timed-out', 'the answer was lost');
    };
    const detached = h.agent.api.detach({ requestId: h.uuid(), endpoint: 'web', force: false }).catch(() => undefined);
    await h.settle(seconds(1));
    expect(h.manager.released).toHaveLength(1);
    expect(applied()).toBe(before);
    await h.clock.until(detached, seconds(120));
    await h.settle(seconds(60));
    expect(applied()).toBeGreaterThan(before ?? 0n);
    expect(await h.wrong('blue')).toEqual([]);
  });
});

describe('adoption', () => {
  it('happens on a full disk too', async () => {
    const h = await host();
    h.files.capacity = 0;
    const { writes } = h.kernel;
    await h.restart();
    h.manager.peer('blue', 202);
    await h.settle(seconds(1));
    expect(await h.wrong('blue')).toEqual([]);
    expect(h.kernel.writes - writes).toBe(2);
  });

  it('writes nothing when nothing has changed', async () => {
    const h = await host();
    const { writes } = h.kernel;
    for (let restarts = 0; restarts < 3; restarts++) await h.restart();
    await h.settle(seconds(60));
    expect(h.kernel.writes).toBe(writes);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('writes only what was missed', async () => {
    const h = await host();
    await h.clock.until(h.agent.stop(), seconds(60));
    const { writes } = h.kernel;
    h.manager.peer('blue', 202);
    await h.start();
    expect(h.kernel.writes - writes).toBe(2);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('takes nothing from a kernel that is newer than the ledger while no manager answers', async () => {
    const h = await host();
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
    const h = await host();
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
    const h = await host();
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
    const h = await host();
    await h.clock.until(h.agent.stop(), seconds(60));
    h.kernel.foreign({ op: 'netns.delete', netns: h.overlay('blue') });
    h.manager.down = true;
    await h.start();
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('finishes an attach whose table never reached the disk', async () => {
    const h = await host();
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
    const h = await host();
    await h.clock.until(h.agent.stop(), seconds(60));
    h.kernel.foreign({ op: 'link.delete', netns: h.overlay('blue'), name: 'v000000000003' });
    await h.start();
    expect(await h.wrong('blue')).toEqual([]);
  });
});

describe('what is left behind is reclaimed', () => {
  it('when a container’s namespace is deleted', async () => {
    const h = await host();
    h.kernel.foreign({ op: 'netns.delete', netns: '/run/netns/web' as NetnsPath });
    await h.settle(seconds(2));
    expect(h.manager.rows('blue')).toEqual(['peer-200', 'peer-201']);
    expect(await h.kernel.ownNetns()).toEqual([]);
    expect((await h.status()).repairs).toBe(0n);
  });

  it('when the namespace’s path leads to another container now, which is left alone', async () => {
    const h = await host();
    h.kernel.foreign({ op: 'netns.delete', netns: '/run/netns/web' as NetnsPath });
    h.container('web');
    await h.settle(seconds(2));
    expect(h.manager.rows('blue')).toEqual(['peer-200', 'peer-201']);
    expect([...(h.kernel.namespaces.get('/run/netns/web' as NetnsPath)?.links ?? [])]).toEqual([]);
  });

  it('when no manager answers at first', async () => {
    const h = await host();
    h.manager.down = true;
    h.kernel.foreign({ op: 'netns.delete', netns: '/run/netns/web' as NetnsPath });
    await h.settle(seconds(20));
    h.manager.down = false;
    await h.settle(seconds(10));
    expect(h.manager.rows('blue')).toEqual(['peer-200', 'peer-201']);
    expect((await h.agent.api.listSandboxes()).sandboxes).toEqual([]);
  });

  it('but not while the container’s pair of links lives, though its path is gone', async () => {
    const h = await host();
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
    const h = await host();
    const { node } = await h.status();
    h.manager.foreignClaim('blue', 7, node?.id as NodeId);
    await h.settle(seconds(9));
    expect(h.manager.rows('blue')).toContain('ghost-7');
    await h.settle(seconds(5));
    expect(h.manager.rows('blue')).not.toContain('ghost-7');
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('when another caller released the endpoint', async () => {
    const h = await host();
    const [sandbox] = (await h.agent.api.listSandboxes()).sandboxes;
    h.manager.remove('blue', sandbox?.endpoint?.id as never);
    await h.settle(seconds(1));
    expect((await h.agent.api.listSandboxes()).sandboxes).toEqual([]);
    expect(await h.kernel.ownNetns()).toEqual([]);
  });

  it('when that happened while the agent was down', async () => {
    const h = await host();
    const [sandbox] = (await h.agent.api.listSandboxes()).sandboxes;
    await h.clock.until(h.agent.stop(), seconds(60));
    h.manager.remove('blue', sandbox?.endpoint?.id as never);
    await h.start();
    await h.settle(seconds(1));
    expect((await h.agent.api.listSandboxes()).sandboxes).toEqual([]);
    expect(await h.kernel.ownNetns()).toEqual([]);
  });
});

describe('session', () => {
  it('comes back after the managers were away, with what was missed and nothing written twice', async () => {
    const h = await host();
    h.manager.down = true;
    await h.settle(seconds(30));
    expect((await h.status()).manager).toBe('');
    h.manager.down = false;
    h.manager.peer('blue', 202);
    const { writes } = h.kernel;
    await h.settle(seconds(2));
    expect((await h.status()).manager).toBe('10.0.0.1:7443');
    expect(await h.wrong('blue')).toEqual([]);
    expect(h.kernel.writes - writes).toBe(2);
  });

  it('asks for a network whole when a delta does not fit', async () => {
    const h = await host();
    const held = h.manager.networks.get('blue');
    if (held === undefined) throw new Error('no blue');
    held.revision += 5n;
    h.manager.peer('blue', 203);
    await h.settle();
    expect(h.manager.requests('resync')).toHaveLength(1);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('does not fight for its session with another agent of its identity: it comes back ever more seldom, and says so', async () => {
    const h = await host();
    const goodbye = { leaderAddress: '', reason: 'the agent of this host began another session', taken: true };
    let begun = 0;
    h.manager.onWelcome = () => {
      begun++;
      h.manager.say({ oneofKind: 'goodbye', goodbye });
    };
    h.manager.say({ oneofKind: 'goodbye', goodbye });
    await h.settle(seconds(60));
    expect(begun).toBeLessThan(10);
    const before = begun;
    await h.settle(seconds(600));
    expect(begun - before).toBeGreaterThan(5);
    expect(begun - before).toBeLessThan(25);
    const said = h.log.lines.filter(({ fields }) => fields.code === 'session-taken');
    expect(said[0]).toMatchObject({ level: 'error', event: 'session.ended' });
    h.manager.onWelcome = () => undefined;
    await h.settle(seconds(120));
    expect(h.manager.sessions).toBe(1);
  });

  it('beats while nothing happens', async () => {
    const h = await host();
    const before = h.manager.requests('report').length;
    await h.settle(seconds(20));
    expect(h.manager.requests('report').length - before).toBe(10);
  });

  it.each<[string, (h: Host) => void, string]>([
    ['another cluster', (h) => (h.manager.clusterId = 'c000000000000002'), 'cluster-mismatch'],
    ['an old leader', (h) => (h.manager.term = 0n), 'not-leader'],
    ['a store of the past', (h) => (h.manager.epoch = 0n), 'not-leader'],
  ])('refuses the manager of %s, says so once, and keeps the data path', async (_, change, code) => {
    const h = await host();
    const { writes } = h.kernel;
    h.manager.down = true;
    h.manager.networks.clear();
    change(h);
    await h.settle(seconds(2));
    h.manager.down = false;
    await h.settle(seconds(60));
    expect((await h.status()).manager).toBe('');
    expect(h.kernel.writes).toBe(writes);
    const said = h.log.lines.filter(({ event, fields }) => event === 'session.refused' && fields['code'] === code);
    expect(said).toHaveLength(1);
    await h.restart();
    await h.settle(seconds(10));
    expect(h.kernel.writes).toBe(writes);
  });

  it('alarms when the store was restored, and follows it', async () => {
    const h = await host();
    const { writes } = h.kernel;
    h.manager.restore(50n);
    await h.settle(seconds(2));
    expect((await h.status()).manager).not.toBe('');
    expect(h.events()).toContain('cluster.epoch-changed');
    expect(h.kernel.writes).toBe(writes);
  });

  it.each([
    ['', async () => undefined],
    [', not even after a restart in between', async (h: Host) => void (await h.restart())],
  ])('tells the managers of a restored store nothing of what was before it%s', async (_, between) => {
    const h = await host();
    expect(h.manager.requests('applied').at(-1)?.applied.networks[0]?.revision).toBeGreaterThan(50n);
    h.manager.silent = true;
    h.manager.restore(50n);
    await h.settle(seconds(2));
    await between(h);
    const [blue] = (await h.status()).networks;
    expect(blue).toMatchObject({ revision: 0n, applied: 0n });
    expect(h.manager.requests('applied')).toEqual([]);
    h.manager.silent = false;
    h.manager.down = true;
    h.manager.down = false;
    await h.settle(seconds(2));
    const reported = h.manager.requests('applied').flatMap(({ applied }) => applied.networks);
    expect(reported.map(({ revision }) => revision)).toEqual([50n]);
    const [hello] = h.manager.requests('hello');
    expect(hello?.hello).toMatchObject({ epoch: 2n, cursors: [{ revision: 0n, digest: 0n }] });
  });
});

describe('start', () => {
  it('keeps the identity of the host', async () => {
    const h = await host();
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
    const { kernel, manager: link, files, clock, random, log } = new Host();
    const settings = {
      name: 'h1' as Name,
      managers: ['m:1'],
      dataPath: Ip('198.51.100.1'),
      vxlanPort: 4789,
      version: '0',
    };
    const agent = createAgent({ kernel, link, files, clock, random, log }, settings);
    await expect(agent.start()).rejects.toMatchObject({ code: 'address-absent', data: { field: 'data-path' } });
    await expect(agent.api.getAgentStatus()).rejects.toBeInstanceOf(CausewayError);
  });
});
