import type { NetnsPath } from '@causeway/datapath';
import { routesOf, tunnelsOf } from '@causeway/datapath/testing';
import { CausewayError, Ip, Mac } from '@causeway/model';
import type { VerifyHostResponse } from '@causeway/proto/gen/causeway/v1/agent_service.js';
import { milliseconds, seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { busyHost, ghost } from '../testing/agent-fixture.ts';
import { Host } from '../testing/host.ts';
import { kernelCallsAtOnce } from './kernel-turns.ts';

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
    ['vxlan0 is moved elsewhere', (h) => h.kernel.foreignMove(netns, 'vxlan0', h.container('elsewhere')), 1],
    ['the host end is deleted', (h) => h.kernel.foreign({ op: 'link.delete', netns, name: 'v000000000003' }), 1],
    ['the namespace is deleted', (h) => h.kernel.foreign({ op: 'netns.delete', netns }), 1],
    [
      'notifications are lost',
      (h) => h.kernel.overrun(netns, { op: 'neighbour.delete', netns, dev: 'vxlan0', ip: Ip('10.66.0.200') }),
      1,
    ],
  ])('%s', async (_, happen, atLeast) => {
    const h = await busyHost();
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

  it('of a route in a container', async () => {
    const h = await busyHost();
    const container = '/run/netns/web' as NetnsPath;
    const namespace = h.kernel.namespaces.get(container);
    const [route] = namespace === undefined ? [] : routesOf(namespace);
    h.kernel.foreign({ op: 'route.delete', netns: container, route: route as never });
    await h.settle(seconds(1));
    expect(await h.wrong('blue')).toEqual([]);
    expect((await h.status()).repairs).toBe(1n);
  });

  it('of a sysctl in a container by the sweep, because no notification reports its change', async () => {
    const h = await busyHost();
    const netns = '/run/netns/web' as NetnsPath;
    h.kernel.foreign({ op: 'sysctl.set', netns, key: 'net.ipv6.conf.eth0.accept_ra', value: '1' });
    await h.settle(seconds(31));
    expect(await h.wrong('blue')).toEqual([]);
    expect((await h.status()).repairs).toBe(1n);
  });

  it('within seconds while the table never stops changing', async () => {
    const h = await busyHost();
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
    const h = await busyHost();
    h.kernel.failNext((op) => op.op === 'fdb.set', 'ENOBUFS', 4);
    h.kernel.foreign({ op: 'fdb.delete', netns, dev: 'vxlan0', mac: peer, target: Ip('192.0.2.2') });
    await h.settle(milliseconds(100));
    expect(await h.status()).toMatchObject({ drift: 1, repairs: 0n });
    await h.settle(seconds(10));
    expect((await h.status()).drift).toBe(0);
    expect(await h.wrong('blue')).toEqual([]);
  });

  it('is what verify shows, and repair removes', async () => {
    const h = await busyHost();
    expect(await h.agent.api.verifyHost({ repair: false })).toEqual({ drift: [] });
    h.kernel.foreign({ op: 'fdb.set', netns, dev: 'vxlan0', mac: ghost, target: Ip('192.0.2.7') });
    const found = [
      { host: 'h1', network: 'blue', kind: 'fdb', key: `vxlan0 ${ghost}`, actual: '192.0.2.7', desired: '' },
    ];
    expect(await h.agent.api.verifyHost({ repair: true })).toEqual({ drift: found });
    expect(await h.agent.api.verifyHost({ repair: false })).toEqual({ drift: [] });
  });

  it('is shown to a caller that asks while the agent looks already', async () => {
    const h = await busyHost();
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
    const h = await busyHost();
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
    const h = await busyHost();
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
    const h = await busyHost();
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
