import { CausewayError, type ErrorCode } from '@causeway/model';
import { errorFromStatus } from '@causeway/proto';
import { WatchEventsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { ClaimEndpointResponse } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import {
  CreateNetworkRequest,
  DeleteNetworkRequest,
  ListNetworksRequest,
  UpdateNetworkRequest,
} from '@causeway/proto/gen/causeway/v1/network_service.js';
import { ListNodesRequest } from '@causeway/proto/gen/causeway/v1/node_service.js';
import { type Network, Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Manager } from './manager.ts';
import { createKeys, defaultPrefix } from './store/keys.ts';
import { MemoryAgent } from './testing/memory-agent.ts';
import { MemoryCluster } from './testing/memory-cluster.ts';
import { nodeId, scriptNode } from './testing/view-script.ts';

let cluster: MemoryCluster;
let manager: Manager;
const random = new SeededRandom(1);

beforeEach(async () => {
  cluster = new MemoryCluster();
  manager = (await cluster.startManager()).manager;
});

afterEach(async () => {
  await cluster.stop();
});

const uuid = (): string => randomUuid(random);
const removal = (): DeleteNetworkRequest => DeleteNetworkRequest.create({ requestId: uuid(), network: 'blue' });

async function createNetwork(name = 'blue', second = 66, fields: { mtu?: number } = {}): Promise<Network> {
  const subnets = [`10.${second}.0.0/16`, `fd${second}::/64`].map((prefix) => Subnet.create({ prefix }));
  const request = CreateNetworkRequest.create({ requestId: uuid(), name, subnets, ...fields });
  const { network } = await cluster.answer(manager.api.network.createNetwork(request, cluster.call()));
  if (network === undefined) throw new Error('no network in the answer');
  return network;
}

async function connect(node: number, to: Manager = manager): Promise<MemoryAgent> {
  const agent = new MemoryAgent(scriptNode(node));
  agent.appliesAtOnce = true;
  agent.hello();
  void to.accept(agent);
  await cluster.settle();
  return agent;
}

function claim(name: string, node: number, requestId = uuid()): Promise<ClaimEndpointResponse> {
  const request = { requestId, network: 'blue', name, nodeId: nodeId(node), addresses: [], labels: {}, endpointId: '' };
  return cluster.answer(manager.api.endpoint.claimEndpoint(request, cluster.call()));
}

async function codeOf(failing: Promise<unknown>): Promise<ErrorCode | 'no error'> {
  try {
    await cluster.answer(failing);
    return 'no error';
  } catch (error) {
    if (error instanceof CausewayError) return error.code;
    throw error;
  }
}

describe('a manager whose store does not answer', () => {
  test.each(['leads', 'stands by'])('stops within 3 s when it %s', async (role) => {
    const other = await cluster.startManager('m2');
    const first = { manager, store: cluster.storeOf(manager) };
    const [stopping, well] = role === 'leads' ? [first, other] : [other, first];
    expect(stopping.manager.isLeader).toBe(role === 'leads');
    await createNetwork();
    let grants = 0;
    stopping.store.fault = (operation) => {
      if (operation === 'lease' && !stopping.manager.isLeader) grants++;
      return 'lost-request';
    };
    await cluster.answer(well.store.txn([], [{ kind: 'delete', key: createKeys(defaultPrefix).leader }]));
    while (grants === 0) await cluster.clock.advance(milliseconds(100)); // the manager campaigns, and this call has just begun
    const began = cluster.clock.now();
    await cluster.answer(stopping.manager.stop());
    expect(cluster.clock.now() - began).toBeLessThanOrEqual(3_000);
  });

  test('takes no part in the election when it is stopped before the store answers', async () => {
    const { manager: late, store } = cluster.addManager('m2');
    store.setReachable(false);
    const started = late.start();
    await cluster.clock.advance(seconds(5));
    await cluster.answer(late.stop());
    await cluster.answer(started);
    store.setReachable(true);
    await cluster.answer(manager.stop());
    await cluster.clock.advance(seconds(20));
    const { kv: leader } = await cluster.answer(store.get(createKeys(defaultPrefix).leader));
    expect({ leads: late.isLeader, leader }).toEqual({ leads: false, leader: undefined });
  });
});

describe('one manager', () => {
  test('networks: created, got by name and id, listed, deleted', async () => {
    const blue = await createNetwork();
    await createNetwork('amber', 67);
    expect(blue).toMatchObject({ name: 'blue', mtu: 1450, vni: 4096, addressSpace: 'default' });
    expect(blue.subnets.map((subnet) => subnet.gateway)).toEqual(['10.66.0.1', 'fd66::1']);
    const { network: networks } = manager.api;
    for (const network of ['blue', blue.id])
      expect((await networks.getNetwork({ network, atLeast: 0n }, cluster.call())).network).toEqual({
        ...blue,
        conditions: expect.any(Array),
      });
    const { networks: listed } = await networks.listNetworks(ListNetworksRequest.create(), cluster.call());
    expect(listed.map((network) => network.name)).toEqual(['amber', 'blue']);
    const gone = await cluster.answer(networks.deleteNetwork(removal(), cluster.call()));
    expect(gone.revision).toBeGreaterThan(blue.revision);
    expect(await codeOf(networks.getNetwork({ network: 'blue', atLeast: 0n }, cluster.call()))).toBe('network-unknown');
  });

  test('pages are of one list, whatever is written between them', async () => {
    for (const [i, name] of ['a', 'b', 'c', 'd', 'e'].entries()) await createNetwork(name, 70 + i);
    const { network: networks } = manager.api;
    const page = async (over: Partial<ListNetworksRequest>) => {
      const answer = await networks.listNetworks(ListNetworksRequest.create(over), cluster.call());
      return { ...answer, names: answer.networks.map(({ name }) => name).join('') };
    };
    const fieldSelector = 'name!=b';
    const first = await page({ pageSize: 2, fieldSelector });
    await cluster.answer(networks.deleteNetwork({ ...removal(), network: 'd' }, cluster.call()));
    await createNetwork('ca', 80);
    const second = await page({ pageSize: 2, fieldSelector, pageToken: first.nextPageToken });
    expect([first.names, second.names, second.nextPageToken, second.revision]).toEqual([
      'ac',
      'de',
      '',
      first.revision,
    ]);
    expect((await page({ fieldSelector })).names).toBe('accae');
    expect(await codeOf(page({ pageToken: first.nextPageToken }))).toBe('invalid-argument');
    expect(await codeOf(page({ fieldSelector: 'colour=red' }))).toBe('invalid-argument');
  });

  test('verify: a slow host has as long as the caller gives it, a slower host is named', async () => {
    await createNetwork();
    const [slow, slower] = [await connect(1), await connect(2)];
    const answer = manager.api.cluster.verify({ repair: false, hosts: [] }, cluster.call(seconds(60)));
    for (let waited = 0; waited < 58; waited += 2) {
      await cluster.clock.advance(seconds(2));
      for (const agent of [slow, slower]) agent.applied();
    }
    slow.say({ oneofKind: 'verifyResult', verifyResult: { call: 1n, drift: [], error: '' } });
    expect(await cluster.answer(answer)).toEqual({ drift: [], checked: ['h1'], unreachable: ['h2'] });
  });

  test('endpoints: claimed with names and who has applied them, listed by host, released', async () => {
    await createNetwork();
    const [one] = [await connect(1), await connect(2)];
    const web = (await claim('web', 1)).endpoint;
    expect(web).toMatchObject({ network: 'blue', host: 'h1', addresses: ['10.66.0.2/16', 'fd66::2/64'] });
    await cluster.settle();
    expect(one?.holds.held.size).toBe(1);
    await claim('db', 2);
    await cluster.settle();
    const { endpoint: endpoints } = manager.api;
    const shown = await endpoints.getEndpoint({ endpoint: 'web', atLeast: 0n }, cluster.call());
    expect(shown.endpoint?.applied).toMatchObject({ have: 2, want: 2, waiting: [], unreachable: [] });
    const list = async (host: string): Promise<string[]> =>
      (
        await endpoints.listEndpoints(ListEndpointsRequest.create({ network: 'blue', host }), cluster.call())
      ).endpoints.map((e) => e.name);
    expect([await list(''), await list('h2')]).toEqual([['db', 'web'], ['db']]);
    const release = { requestId: uuid(), endpointId: web?.id ?? '', nodeId: nodeId(1), reason: 0 };
    await cluster.answer(endpoints.releaseEndpoint(release, cluster.call()));
    await cluster.settle();
    expect(one?.take().at(-1)).toBe('withdraw blue');
    expect(await codeOf(endpoints.getEndpoint({ endpoint: 'web', atLeast: 0n }, cluster.call()))).toBe(
      'endpoint-unknown',
    );
  });

  test('addresses: reserved once for one request id, shown, checked, let go', async () => {
    await createNetwork();
    await connect(1);
    await claim('web', 1);
    const { ipam } = manager.api;
    const request = { requestId: uuid(), network: 'blue', address: '', purpose: 'printer' };
    const reserve = () => cluster.answer(ipam.reserveAddress(request, cluster.call()));
    const made = await reserve();
    expect(made.reservation).toMatchObject({ address: '10.66.0.3', purpose: 'printer' });
    expect(await reserve()).toEqual(made);
    const { subnets } = await ipam.showSubnets({ network: 'blue', atLeast: 0n }, cluster.call());
    expect(subnets).toMatchObject([
      { subnet: '10.66.0.0/16', used: '1', reserved: '2', cooling: '0', free: '65531', usedByHost: { h1: 1 } },
      { subnet: 'fd66::/64', used: '1', reserved: '1', cooling: '0', free: '18446744073709551613' },
    ]);
    expect(subnets[0]?.reservations).toEqual([made.reservation]);
    const checked = await cluster.answer(ipam.checkClaims({ repair: true }, cluster.call()));
    expect(checked).toEqual({ duplicates: [], orphans: [], missing: [] });
    const release = { requestId: uuid(), network: 'blue', address: '10.66.0.3' };
    await cluster.answer(ipam.releaseAddress(release, cluster.call()));
    expect(await codeOf(ipam.releaseAddress({ ...release, requestId: uuid() }, cluster.call()))).toBe(
      'reservation-unknown',
    );
  });

  test('the history of an address: who holds it, also by the name of the network', async () => {
    const blue = await createNetwork();
    await connect(1);
    await claim('web', 1);
    const history = async (network: string) =>
      (await cluster.answer(manager.api.ipam.getAddressHistory({ address: '10.66.0.2', network }, cluster.call())))
        .holdings;
    const holding = { address: '10.66.0.2', network: 'blue', endpoint: 'web', host: 'h1', toMs: 0n };
    for (const network of ['', 'blue', blue.id]) expect(await history(network)).toMatchObject([holding]);
  });

  test.each<[attached: number, outcome: ErrorCode | 'no error']>([
    [4, 'no error'],
    [5, 'network-in-use'],
  ])('a network is deleted by force although %i endpoints are attached meanwhile: %s', async (attached, outcome) => {
    await createNetwork();
    await connect(1);
    await claim('e0', 1);
    let more = 0;
    manager.view.subscribe((changes) => {
      const isReleased = changes.some((change) => change.kind === 'endpoint' && change.after === undefined);
      if (!isReleased || more === attached) return;
      more++;
      const request = { requestId: uuid(), network: 'blue', name: `e${more}`, nodeId: nodeId(1) };
      const full = { ...request, addresses: [], labels: {}, endpointId: '' };
      void manager.api.endpoint.claimEndpoint(full, cluster.call()).catch(() => undefined);
    });
    const request = { ...removal(), force: true };
    expect(await codeOf(manager.api.network.deleteNetwork(request, cluster.call()))).toBe(outcome);
    expect(more).toBe(attached);
  });

  test('a retry with the same request id gets the same answer', async () => {
    await createNetwork();
    await connect(1);
    const id = uuid();
    expect(await claim('web', 1, id)).toEqual(await claim('web', 1, id));
    expect(manager.view.endpointCount).toBe(1);
  });

  test('the claims of one call are independent, and answered in their order', async () => {
    await createNetwork();
    await connect(1);
    const draft = { network: 'blue', nodeId: nodeId(1), addresses: [], labels: {}, endpointId: '' };
    const claims = ['web', 'db', 'web', '-'].map((name) => ({ ...draft, requestId: uuid(), name }));
    const { endpoint: endpoints } = manager.api;
    const answer = await cluster.answer(endpoints.claimEndpoints({ claims }, cluster.call()));
    const outcomes = answer.outcomes.map(({ outcome }) =>
      outcome.oneofKind === 'refused' ? errorFromStatus(outcome.refused).code : outcome.oneofKind,
    );
    expect(outcomes).toEqual(['endpoint', 'endpoint', 'name-taken', 'name-invalid']);
    expect(answer.epoch).toBe(1n);
    const again = await cluster.answer(endpoints.claimEndpoints({ claims: claims.slice(1, 2) }, cluster.call()));
    expect(again.outcomes[0]).toEqual(answer.outcomes[1]);
    const many = Array.from({ length: 257 }, (_, i) => ({ ...draft, requestId: uuid(), name: `e${i}` }));
    expect(await codeOf(endpoints.claimEndpoints({ claims: many }, cluster.call()))).toBe('invalid-argument');
  });

  test('waiting for applied: returns when the last has it, says who is missing when time is over', async () => {
    await createNetwork();
    await connect(1);
    const slow = await connect(2);
    slow.appliesAtOnce = false;
    await claim('db', 2);
    await claim('web', 1);
    const wait = manager.api.endpoint.waitEndpoint({ endpoint: 'web', atLeast: 0n }, cluster.call(seconds(2)));
    const failure = await cluster.answer(wait).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'timed-out', data: { have: 1, want: 2, waiting: 'h2' } });
    const again = manager.api.endpoint.waitEndpoint({ endpoint: 'web', atLeast: 0n }, cluster.call(seconds(2)));
    slow.applied();
    expect((await cluster.answer(again)).endpoint?.applied).toMatchObject({ have: 2, want: 2 });
  });

  test('a host with a smaller underlay lowers automatic MTUs and leaves asked-for ones', async () => {
    await createNetwork();
    await createNetwork('fixed', 67, { mtu: 1440 });
    const agent = new MemoryAgent({ ...scriptNode(3), underlayMtu: 1400 });
    agent.hello();
    void manager.accept(agent);
    await cluster.settle();
    const { networks } = await manager.api.network.listNetworks(ListNetworksRequest.create(), cluster.call());
    expect(networks.map(({ name, mtu }) => `${name} ${mtu}`)).toEqual(['blue 1350', 'fixed 1440']);
  });

  test('conditions follow from claims, from sessions, and from what hosts report', async () => {
    const { network: networks, endpoint: endpoints, node: nodes } = manager.api;
    const conditionTexts = async (): Promise<string[]> => {
      const all = [
        (await networks.getNetwork({ network: 'blue', atLeast: 0n }, cluster.call())).network,
        (await endpoints.getEndpoint({ endpoint: 'web', atLeast: 0n }, cluster.call())).endpoint,
        (await nodes.getNode({ node: 'h1' }, cluster.call())).node,
      ];
      return all.flatMap((object) => object?.conditions ?? []).map((one) => `${one.type} ${one.status} ${one.reason}`);
    };
    const networkDrift = { [(await createNetwork()).id]: 2 };
    const agent = await connect(1);
    agent.appliesAtOnce = false;
    await claim('web', 1);
    await cluster.settle();
    expect(await conditionTexts()).toEqual([
      'Allocated true Claimed',
      'Programmed false Waiting',
      'Degraded false Healthy',
      'Allocated true Claimed',
      'Programmed false Waiting',
      'Degraded false Healthy',
      'Ready true Session',
      'Programmed false Waiting',
      'Degraded false Healthy',
    ]);
    agent.applied();
    const report = {
      repairs: 0n,
      drift: 2,
      repaired: [],
      underlayMtu: 1500,
      networkDrift,
      recovered: true,
      keptIds: [],
    };
    agent.say({ oneofKind: 'report', report });
    await cluster.settle();
    expect((await conditionTexts()).filter((text) => !text.startsWith('Allocated'))).toEqual([
      'Programmed true AllApplied',
      'Degraded true Drift',
      'Programmed true AllApplied',
      'Degraded true Drift',
      'Ready true Session',
      'Programmed true AllApplied',
      'Degraded true Drift',
    ]);
    agent.hangUp();
    await cluster.settle();
    expect((await conditionTexts()).filter((text) => !text.startsWith('Allocated'))).toEqual([
      'Programmed unknown HostsLost',
      'Degraded true HostLost',
      'Programmed unknown HostsLost',
      'Degraded true HostLost',
      'Ready false NoSession',
      'Programmed unknown NoSession',
      'Degraded unknown NoSession',
    ]);
  });

  test('conditions say when their cause began, also without a change in the store', async () => {
    const { network: networks, node: nodes } = manager.api;
    const began = cluster.clock.wall();
    const agoMs = async (): Promise<Record<string, number>> => {
      const { network } = await networks.getNetwork({ network: 'blue', atLeast: 0n }, cluster.call());
      const { node } = await nodes.getNode({ node: 'h1' }, cluster.call());
      const all = [...(network?.conditions ?? []), ...(node?.conditions ?? [])];
      return Object.fromEntries(all.map(({ reason, sinceTimeMs }) => [reason, Number(sinceTimeMs) - began]));
    };
    await createNetwork();
    await cluster.clock.advance(seconds(60));
    const agent = await connect(1);
    await claim('web', 1);
    await cluster.clock.advance(seconds(1));
    const before = manager.view.revision;
    const lost = cluster.clock.wall() - began;
    agent.hangUp();
    await cluster.settle();
    const { conditions = [] } = (await nodes.getNode({ node: 'h1' }, cluster.call())).node ?? {};
    expect(conditions.map(({ sinceRevision }) => sinceRevision)).toEqual([before, before, before]);
    await cluster.clock.advance(seconds(10));
    const ages = await agoMs();
    expect(ages['Claimed']).toBeLessThan(1_000);
    expect(ages).toMatchObject({ HostsLost: lost, HostLost: lost, NoSession: lost });
  });

  test('a manager that started later knows when objects were made, and not when they changed before', async () => {
    const { createdAtMs } = await createNetwork();
    await createNetwork('changed', 67);
    const request = { requestId: uuid(), network: 'changed', setLabels: { tier: 'web' } };
    await cluster.answer(manager.api.network.updateNetwork(UpdateNetworkRequest.create(request), cluster.call()));
    await connect(1);
    await cluster.clock.advance(seconds(60));
    const { manager: later } = await cluster.startManager('m2');
    await cluster.clock.advance(seconds(60));
    await cluster.answer(manager.stop());
    const took = cluster.clock.wall();
    await cluster.clock.advance(seconds(5));
    const { networks } = await later.api.network.listNetworks(ListNetworksRequest.create(), cluster.call());
    const { node } = await later.api.node.getNode({ node: 'h1' }, cluster.call());
    const claimed = networks.map(({ name, conditions }) => [name, conditions[0]?.sinceTimeMs]);
    expect(Object.fromEntries(claimed)).toEqual({ blue: createdAtMs, changed: 0n });
    const [ready] = node?.conditions ?? [];
    expect(ready).toMatchObject({ type: 'Ready', status: 'false' });
    expect(Math.abs(Number(ready?.sinceTimeMs) - took)).toBeLessThan(1_000);
  });

  test('nodes and status show which hosts are ready and what was repaired', async () => {
    await createNetwork();
    const agent = await connect(1);
    (await connect(2)).hangUp();
    await claim('web', 1);
    agent.say({
      oneofKind: 'report',
      report: {
        repairs: 4n,
        drift: 1,
        repaired: [],
        underlayMtu: 1500,
        networkDrift: {},
        recovered: true,
        keptIds: [],
      },
    });
    await cluster.settle();
    const { nodes } = await manager.api.node.listNodes(ListNodesRequest.create(), cluster.call());
    expect(nodes.map(({ name, ready, endpoints, repairs }) => ({ name, ready, endpoints, repairs }))).toEqual([
      { name: 'h1', ready: true, endpoints: 1, repairs: 4n },
      { name: 'h2', ready: false, endpoints: 0, repairs: 0n },
    ]);
    expect(await cluster.answer(manager.api.cluster.getStatus({}, cluster.call()))).toMatchObject({
      clusterId: manager.view.cluster?.id,
      leader: { manager: 'm1', address: 'm1:7443' },
      managers: [{ name: 'm1', address: 'm1:7443', leader: true }],
      hostsReady: 1,
      hostsTotal: 2,
      repairs: 4n,
      drift: 1,
      networks: 1,
      endpoints: 1,
      unreadyHosts: [{ name: 'h2', session: 'none', reason: 'its agent closed the session, or the connection broke' }],
      degradedNetworks: 0,
      degradedEndpoints: 0,
      troubledHosts: [],
    });
    const report = {
      repairs: 4n,
      drift: 1,
      repaired: [],
      underlayMtu: 1500,
      networkDrift: {},
      recovered: true,
      keptIds: [],
    };
    // Dropped announcements are no trouble: containers ask again.
    const fine = { loopDelayMs: 0, eventsLost: 0n, failedOps: {}, announcementsSent: 9n, announcementsDropped: 9n };
    const healths = [
      { ...fine, loopDelayMs: 999 },
      { ...fine, loopDelayMs: 1_000 },
      { ...fine, eventsLost: 1n },
      { ...fine, failedOps: { EBUSY: 1n } },
    ];
    const troubled: unknown[] = [];
    for (const health of healths) {
      agent.say({ oneofKind: 'report', report: { ...report, health } });
      await cluster.settle();
      troubled.push((await cluster.answer(manager.api.cluster.getStatus({}, cluster.call()))).troubledHosts);
    }
    expect(troubled).toEqual([[], ...healths.slice(1).map((health) => [{ name: 'h1', health }])]);
    agent.hangUp();
    await cluster.settle();
    expect(await cluster.answer(manager.api.cluster.getStatus({}, cluster.call()))).toMatchObject({
      unreadyHosts: [{ name: 'h1', session: 'none', reason: expect.stringContaining('closed') }, { name: 'h2' }],
      degradedEndpoints: 1,
      troubledHosts: [],
    });
    // No ready host lacks the endpoint; the host that has the endpoint may lack it.
    const { endpoints } = await manager.api.endpoint.listEndpoints(ListEndpointsRequest.create(), cluster.call());
    expect(endpoints[0]?.applied).toMatchObject({ have: 0, want: 1, unreachable: ['h1'] });
  });

  test('events report everything that happened, in order', async () => {
    await createNetwork();
    const agent = await connect(1);
    const { endpoint } = await claim('web', 1);
    const release = { requestId: uuid(), endpointId: endpoint?.id ?? '', nodeId: nodeId(1), reason: 0 };
    await cluster.answer(manager.api.endpoint.releaseEndpoint(release, cluster.call()));
    agent.hangUp();
    await cluster.clock.advance(seconds(1));
    const kinds: string[] = [];
    const unknown = WatchEventsRequest.create({ kinds: ['network.created', 'network.made'] });
    await expect(manager.api.cluster.watchEvents(unknown, cluster.call()).next()).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('no event kind "network.made"; the kinds are network.created'),
    });
    const watch = manager.api.cluster.watchEvents(WatchEventsRequest.create(), cluster.call());
    for await (const { event } of watch) kinds.push(event?.kind ?? '');
    expect(kinds).toEqual([
      'network.created',
      'node.joined',
      'endpoint.attached',
      'endpoint.detached',
      'leader.changed', // events that no write has caused are written together, a moment later
      'node.ready',
      'node.lost',
    ]);
  });

  test('status is answered while the store is not', async () => {
    const unreachable = await cluster.startManager('m2');
    unreachable.store.setReachable(false);
    const status = await cluster.answer(unreachable.manager.api.cluster.getStatus({}, cluster.call()));
    expect(status).toMatchObject({ leader: { manager: 'm1' }, managers: [{ state: 'leader' }, { state: 'standby' }] });
    expect(status.store).toBeUndefined();
  });

  test.each<[string, (m: Manager) => Promise<unknown>, ErrorCode]>([
    [
      'network of a read',
      (m) => m.api.network.getNetwork({ network: 'x', atLeast: 0n }, cluster.call()),
      'network-unknown',
    ],
    [
      'host of a list',
      (m) => m.api.endpoint.listEndpoints(ListEndpointsRequest.create({ host: 'x' }), cluster.call()),
      'node-unknown',
    ],
    [
      'endpoint of a wait',
      (m) => m.api.endpoint.waitEndpoint({ endpoint: 'x', atLeast: 0n }, cluster.call()),
      'endpoint-unknown',
    ],
    [
      'address of a history',
      (m) => m.api.ipam.getAddressHistory({ address: '10.66.0.99', network: '' }, cluster.call()),
      'address-unknown',
    ],
    [
      'address of a history in a network that does not have the address',
      (m) => m.api.ipam.getAddressHistory({ address: '10.66.0.99', network: 'x' }, cluster.call()),
      'address-unknown',
    ],
    [
      'text of an address of a history',
      (m) => m.api.ipam.getAddressHistory({ address: 'x', network: '' }, cluster.call()),
      'address-invalid',
    ],
    ['host of a verify', (m) => m.api.cluster.verify({ repair: false, hosts: ['x'] }, cluster.call()), 'node-unknown'],
    [
      'request id',
      (m) => m.api.network.deleteNetwork(DeleteNetworkRequest.create({ requestId: 'x', network: 'x' }), cluster.call()),
      'invalid-argument',
    ],
    [
      'a revision that does not come',
      (m) => m.api.network.listNetworks(ListNetworksRequest.create({ atLeast: 1_000n }), cluster.call()),
      'timed-out',
    ],
  ])('unknown or wrong: %s', async (_name, call, code) => {
    expect(await codeOf(call(manager))).toBe(code);
  });
});

describe('two managers', () => {
  test('the standby names the leader and answers what it can', async () => {
    await createNetwork();
    const { manager: standby } = await cluster.startManager('m2');
    await cluster.settle();
    const { network: networks, endpoint: endpoints } = standby.api;
    const calls: readonly (() => Promise<unknown>)[] = [
      () => networks.deleteNetwork(removal(), cluster.call()),
      () => endpoints.getEndpoint({ endpoint: 'x', atLeast: 0n }, cluster.call()),
      () => networks.listNetworks(ListNetworksRequest.create(), cluster.call()),
    ];
    for (const call of calls)
      expect(await cluster.answer(call()).catch((error: unknown) => error)).toMatchObject({
        code: 'not-leader',
        data: { leader: 'm1:7443' },
      });
    expect((await standby.api.ipam.showSubnets({ network: 'blue', atLeast: 0n }, cluster.call())).subnets).toHaveLength(
      2,
    );
    expect((await connect(1, standby)).take()).toEqual(['goodbye m1:7443']);
  });

  test.each(['gone', 'silent'] as const)('status at the standby, and when the leader is %s', async (how) => {
    await connect(1);
    const { manager: standby } = await cluster.startManager('m2');
    const status = () => cluster.answer(standby.api.cluster.getStatus({}, cluster.call()));
    const [m1, m2] = [
      { name: 'm1', state: 'leader', revision: manager.view.revision },
      { name: 'm2', state: 'standby', revision: standby.view.revision },
    ];
    const leader = { manager: 'm1', address: 'm1:7443' };
    const hosts = { hostsReady: 1, hostsTotal: 1 };
    expect(await status()).toMatchObject({ leader, managers: [m1, m2], ...hosts });
    cluster.unreachable('m1', how);
    const before = cluster.clock.now();
    const managers = [{ ...m1, state: 'unreachable', revision: 0n }, m2];
    expect(await status()).toMatchObject({ leader, managers, ...hosts, hostsReady: 0 });
    // A status call waits 1 s for a manager that does not answer, not as long as the call may take.
    expect(cluster.clock.now() - before).toBe(how === 'silent' ? 1_000 : 0);
  });

  test('hand-over: sessions end with goodbye, the other leads at once and continues cursors', async () => {
    await createNetwork();
    const agent = await connect(1);
    await claim('web', 1);
    await cluster.settle();
    const { manager: next } = await cluster.startManager('m2');
    const leads: boolean[] = [];
    next.onLeadership((now) => leads.push(now));
    const before = cluster.clock.now();
    await cluster.answer(manager.stop());
    await cluster.settle();
    expect(cluster.clock.now() - before).toBeLessThan(1_000);
    expect([manager.isLeader, next.isLeader, leads]).toEqual([false, true, [true]]);
    expect(agent.take().at(-1)).toBe('goodbye ');
    const again = new MemoryAgent(scriptNode(1), agent.holds);
    again.hello({ clusterId: next.view.cluster?.id ?? '' });
    void next.accept(again);
    await cluster.settle();
    const [welcome, ...rest] = again.take();
    expect(welcome).toBe(`welcome term=${next.view.leader?.term}`);
    expect(rest.filter((line) => line.startsWith('complete'))).toEqual([]);
    expect(rest.at(-1)).toMatch(/^ready/);
  });

  test('a leader without the store steps down by its own clock, and no longer names itself as leader', async () => {
    const { manager: next } = await cluster.startManager('m2');
    const agent = await connect(1);
    cluster.cutOff(manager);
    await cluster.clock.advance(seconds(4));
    expect([manager.isLeader, next.isLeader]).toEqual([false, true]);
    expect(agent.take().at(-1)).toBe('goodbye ');
    expect(agent.closed).toEqual({ error: undefined });
  });
});
