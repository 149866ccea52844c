import { currentSchema } from '@causeway/manager/testing';
import { addDigest, type FeedVersion, feedVersions } from '@causeway/model';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { UpdateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { ConnectRequest, ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { randomUuid, seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { SimCluster } from '../src/cluster.ts';
import { inexact } from '../src/exact.ts';

const first = feedVersions.slice(0, 1);
const newest = feedVersions.at(-1) as FeedVersion;

/** A version after ours: hosts program one more field of a network, its labels, so the digest covers the field. */
const next: FeedVersion = {
  ...newest,
  number: newest.number + 1,
  networkDigest: (network) =>
    addDigest(newest.networkDigest(network), BigInt(JSON.stringify(Object.entries(network.labels).sort()).length + 7)),
};
const coming = [...feedVersions, next];

/** The messages of managers since the last `take`, as "HOST KIND NETWORK". */
class Wiretap {
  readonly said: string[] = [];

  constructor(cluster: SimCluster) {
    cluster.connections.tap = (host, way, bytes) => {
      if (way === 'down') this.#down(host, ConnectResponse.fromBinary(bytes).message);
      else this.#up(host, ConnectRequest.fromBinary(bytes).message);
    };
  }

  /** Returns the lines of these kinds, and forgets all. */
  take(...kinds: readonly string[]): string[] {
    return this.said.splice(0).filter((line) => kinds.some((kind) => line.includes(` ${kind}`)));
  }

  #down(host: string, message: ConnectResponse['message']): void {
    if (message.oneofKind === 'complete') this.said.push(`${host} complete ${message.complete.network?.name}`);
    if (message.oneofKind === 'welcome') this.said.push(`${host} welcome ${message.welcome.feedVersion}`);
  }

  #up(host: string, message: ConnectRequest['message']): void {
    if (message.oneofKind === 'resync') this.said.push(`${host} resync`);
    if (message.oneofKind === 'hello') this.said.push(`${host} hello`);
  }
}

const setLabels = (cluster: SimCluster, network: string, setLabels: Record<string, string>): Promise<unknown> => {
  const request = UpdateNetworkRequest.create({ requestId: randomUuid(cluster.random), network, setLabels });
  return cluster.ask((api, call) => api.network.updateNetwork(request, call));
};

const exact = (cluster: SimCluster): Promise<void> =>
  cluster.until('every kernel is exact', async () => (await inexact(cluster)).length === 0);

const failures = (cluster: SimCluster): string[] =>
  cluster.log.lines
    .filter(
      ({ event, fields }) =>
        event === 'table.resync' ||
        (['session.ended', 'session.refused'].includes(event) &&
          fields['code'] !== 'not-leader' &&
          fields['code'] !== 'manager-unavailable'),
    )
    .map(({ event, fields }) => `${event} ${JSON.stringify(fields)}`);

/** Two networks with endpoints on every host, and agents of each version side by side. */
async function begin(
  managers: readonly FeedVersion[],
  agents: readonly (readonly FeedVersion[])[],
): Promise<SimCluster> {
  const cluster = new SimCluster({ hosts: agents.length, managers: 3, feeds: managers });
  await cluster.start([]);
  for (const [i, host] of cluster.hosts.entries()) await cluster.run(host.start(agents[i]));
  await cluster.until('every host is ready', async () => (await cluster.readyHosts()) === agents.length);
  await cluster.createNetwork('blue', '10.66.0.0/16');
  await cluster.createNetwork('green', '10.67.0.0/16', 'fd67::/64');
  await setLabels(cluster, 'green', { tier: 'data' });
  for (const host of cluster.hosts)
    for (const network of ['blue', 'green']) await cluster.run(host.attach(network, `${network}-${host.name}`));
  return cluster;
}

describe('managers are upgraded one after the other', () => {
  it.each([
    ['from the first version', first, feedVersions],
    ['to the next one', feedVersions, coming],
  ])(
    '%s: agents of both go on, each network comes whole once at most for each change of leader',
    async (_, before, after) => {
      const cluster = await begin(before, [before, after, after]);
      const tap = new Wiretap(cluster);
      // First upgrades, then changes back and forth: agents must always find the leader, and their tables must stay valid.
      const order = ['m1', 'm2', 'm3', 'm1', 'm2', 'm1'];
      for (const [i, name] of order.entries()) {
        const feeds = i < 3 || i % 2 === 1 ? after : before;
        await cluster.stopManager(name);
        await cluster.startManager(name, currentSchema, feeds);
        await cluster.until('every host is ready', async () => (await cluster.readyHosts()) === 3);
        await setLabels(cluster, 'green', { round: `${'x'.repeat(i)}` });
        await cluster.run(cluster.host('h2').attach('green', `round-${i}`));
        await exact(cluster);
        const whole = tap.take('complete');
        expect(whole, `after round ${i}`).toEqual([...new Set(whole)]);
      }
      expect(tap.take('resync')).toEqual([]);
      expect(failures(cluster)).toEqual([]);
      await cluster.stop();
    },
  );

  it('a change of leader among managers of one version costs no table', async () => {
    const cluster = await begin(feedVersions, [first, feedVersions, feedVersions]);
    const tap = new Wiretap(cluster);
    await cluster.stopManager(cluster.leaders[0] ?? '');
    await cluster.until('every host is ready', async () => (await cluster.readyHosts()) === 3);
    expect(tap.take('welcome', 'complete').sort()).toEqual([
      'h1 welcome 1',
      `h2 welcome ${newest.number}`,
      `h3 welcome ${newest.number}`,
    ]);
    await cluster.stop();
  });
});

describe('an agent and a manager one version apart', () => {
  it('an older agent follows a network whose newly digested field changes', async () => {
    const cluster = await begin(coming, [feedVersions, coming]);
    const tap = new Wiretap(cluster);
    await setLabels(cluster, 'green', { tier: 'other, and longer' });
    await cluster.run(cluster.host('h2').attach('green', 'more'));
    await exact(cluster);
    expect(tap.take('resync', 'complete')).toEqual([]);
    expect(failures(cluster)).toEqual([]);
    await cluster.stop();
  });

  it('an upgraded agent keeps its interfaces and gets each table whole once', async () => {
    const cluster = await begin(coming, [feedVersions, coming]);
    const tap = new Wiretap(cluster);
    const host = cluster.host('h1');
    await cluster.run(host.stop());
    const writes = host.kernel.writes;
    await cluster.run(host.start(coming));
    await cluster.until('every host is ready', async () => (await cluster.readyHosts()) === 2);
    await exact(cluster);
    expect(tap.take('complete').sort()).toEqual(['h1 complete blue', 'h1 complete green']);
    expect(host.kernel.writes).toBe(writes);
    expect(cluster.log.lines.filter(({ event }) => event.startsWith('ledger.'))).toEqual([]);
    await cluster.stop();
  });

  it('an agent put back to the version before asks a manager for what it cannot read, and loses nothing', async () => {
    const cluster = await begin(coming, [coming, coming]);
    const host = cluster.host('h1');
    const endpoints = (): Promise<string[]> =>
      cluster
        .ask((api, call) => api.endpoint.listEndpoints(ListEndpointsRequest.create(), call))
        .then((list) => list.endpoints.map(({ id }) => id).sort());
    const before = await endpoints();
    await cluster.run(host.stop());
    const writes = host.kernel.writes;
    await cluster.run(host.start(feedVersions));
    await cluster.until('every host is ready', async () => (await cluster.readyHosts()) === 2);
    await cluster.advance(seconds(30));
    await exact(cluster);
    expect(await endpoints()).toEqual(before);
    expect(host.kernel.writes).toBe(writes);
    const events = cluster.log.lines.map(({ event }) => event).filter((event) => event.startsWith('ledger.'));
    expect(events).toEqual(['ledger.not-understood', 'ledger.not-understood']);
    await cluster.stop();
  });

  it('with no version in common say so, name the remedy, and keep what the kernel has', async () => {
    const cluster = await begin(feedVersions, [feedVersions]);
    const host = cluster.host('h1');
    await cluster.run(host.stop());
    const writes = host.kernel.writes;
    await cluster.run(host.start([next]));
    await cluster.advance(seconds(30));
    expect(host.kernel.writes).toBe(writes);
    const said = cluster.log.lines.filter(
      ({ event, fields }) => event === 'session.refused' && fields['code'] === 'feed-unsupported',
    );
    const words = `this agent speaks feed version ${next.number}, the manager 1 to ${newest.number}: upgrade the older one, managers first`;
    expect(new Set(said.map(({ fields }) => fields['message']))).toEqual(new Set([words]));
    await cluster.stop();
  });
});
