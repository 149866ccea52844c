import { WatchEventsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import {
  CreateNetworkRequest,
  CreateNetworkResponse,
  WatchNetworksRequest,
} from '@causeway/proto/gen/causeway/v1/network_service.js';
import { ListNodesRequest } from '@causeway/proto/gen/causeway/v1/node_service.js';
import { callUnary } from '@causeway/proto/io';
import { milliseconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import { Metadata, makeGenericClientConstructor, type ServiceError, status } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { describe, expect, test } from 'vitest';
import { MemoryBackend } from '../../store/memory-backend.ts';
import {
  backend,
  believe,
  clients,
  create,
  ends,
  failure,
  follows,
  freeAddress,
  join,
  leads,
  limits,
  pair,
  run,
  scriptedLeader,
  uuid,
} from '../../testing/forward-fixture.ts';
import { agentOf, operator } from '../../testing/members.ts';
import { nodeId } from '../../testing/view-script.ts';
import { forwardedByKey } from './forward.ts';

describe('a follower answers as the leader does', () => {
  test('writes, reads of what only the leader knows, and events', async () => {
    const [leader, follower] = await pair();
    await join(leader.address, 1);
    const { network } = await create(follower.address, 'one', '10.1.0.0/16');
    expect(network).toMatchObject({ name: 'one', subnets: [{ prefix: '10.1.0.0/16', gateway: '10.1.0.1' }] });

    const at = { leader: clients(leader.address), follower: clients(follower.address) };
    const claim = {
      requestId: uuid(),
      network: 'one',
      name: 'web',
      nodeId: nodeId(1),
      addresses: [],
      labels: {},
      endpointId: '',
    };
    const host = clients(follower.address, agentOf(nodeId(1))).endpoints;
    const { endpoint } = await callUnary(host.claimEndpoint.bind(host), claim, limits);
    expect(endpoint).toMatchObject({ network: 'one', host: 'h1' });

    // The lists' revisions are not compared: managers write their own records meanwhile, and two calls happen at two
    // moments.
    const asked = [at.leader, at.follower].map(async ({ endpoints, nodes }) => ({
      web: await callUnary(endpoints.getEndpoint.bind(endpoints), { endpoint: 'web', atLeast: 0n }, limits),
      endpoints: (await callUnary(endpoints.listEndpoints.bind(endpoints), ListEndpointsRequest.create(), limits))
        .endpoints,
      nodes: (await callUnary(nodes.listNodes.bind(nodes), ListNodesRequest.create(), limits)).nodes,
    }));
    const [fromLeader, fromFollower] = await Promise.all(asked);
    expect(fromFollower).toEqual(fromLeader);
    expect(fromFollower?.nodes[0]).toMatchObject({ name: 'h1', ready: true });

    const events = at.follower.cluster.watchEvents(WatchEventsRequest.create());
    const kinds: (string | undefined)[] = [];
    for await (const response of events) kinds.push(response.event?.kind);
    expect(kinds).toContain('network.created');
  });

  test('watches, from its own view, until it stops', async () => {
    const [leader, follower] = await pair();
    await create(leader.address, 'one', '10.1.0.0/16');
    const { networks } = clients(follower.address);
    const changes: string[] = [];
    const watching = networks.watchNetworks(WatchNetworksRequest.create({ fieldSelector: 'name!=two' }));
    const ended = new Promise<ServiceError>((resolve) => watching.on('error', resolve));
    watching.on('data', ({ type, network }) => changes.push(`${type} ${network?.name ?? ''}`));
    const until = async (count: number): Promise<void> => {
      while (changes.length < count) await systemClock.sleep(milliseconds(5));
    };
    await until(2);
    await create(leader.address, 'two', '10.2.0.0/16');
    await create(leader.address, 'three', '10.3.0.0/16');
    await until(3);
    expect(changes).toEqual(['ADDED one', 'BOOKMARK ', 'ADDED three']);
    await follower.stop();
    expect(await ended).toMatchObject({ code: status.UNAVAILABLE });
  });

  test('errors keep code, text and data', async () => {
    const [leader, follower] = await pair();
    const [theirs, ours] = await Promise.all(
      [leader, follower].map(({ address }) => failure(create(address, 'two', '10.1.2.3/16'))),
    );
    expect(ours).toMatchObject({ code: 'prefix-host-bits', data: { suggestion: '10.1.0.0/16' } });
    const fields = ({ code, message, data }: Record<string, unknown>) => ({ code, message, data });
    expect(fields(ours as Record<string, unknown>)).toEqual(fields(theirs as Record<string, unknown>));
  });

  test('a request id tried at both takes nothing twice', async () => {
    const [leader, follower] = await pair();
    const id = uuid();
    const answers = await Promise.all(
      [follower, leader, follower].map(({ address }) => create(address, 'once', '10.3.0.0/16', id)),
    );
    expect(new Set(answers.map(({ network }) => network?.id)).size).toBe(1);
    expect(leader.manager.view.networks.size).toBe(1);
    const other = create(follower.address, 'other', '10.4.0.0/16', id);
    await expect(other).rejects.toMatchObject({ code: 'request-reused' });
  });

  test('health: all but sessions', async () => {
    const [leader, follower] = await pair();
    const services = ['NetworkService', 'EndpointService', 'ClusterService', 'SessionService'];
    const Health = makeGenericClientConstructor(healthService as never, 'Health');
    type Check = (
      request: { service: string },
      done: (error: ServiceError | null, answer: { status: string }) => void,
    ) => void;
    const serving = async (address: string): Promise<string[]> => {
      const health = new Health(address, operator);
      const check = health['check'] as Check;
      const statuses = services.map(
        (name) =>
          new Promise<string>((resolve) =>
            check.call(health, { service: `causeway.v1.${name}` }, (_, answer) => resolve(answer.status)),
          ),
      );
      return await Promise.all(statuses).finally(() => health.close());
    };
    expect(await serving(leader.address)).toEqual(['SERVING', 'SERVING', 'SERVING', 'SERVING']);
    expect(await serving(follower.address)).toEqual(['SERVING', 'SERVING', 'SERVING', 'NOT_SERVING']);
  });
});

describe('what goes on the wire', () => {
  test('the caller’s metadata, the forwarder’s name, fields this version does not know, and the deadline', async () => {
    const seen: { metadata: Metadata; unknown: boolean; deadline: number }[] = [];
    const leader = await scriptedLeader((call, done) => {
      const text = Buffer.from(CreateNetworkRequest.toBinary(call.request)).toString('latin1');
      seen.push({
        metadata: call.metadata,
        unknown: text.includes('from the future'),
        deadline: Number(call.getDeadline()),
      });
      done(null, CreateNetworkResponse.create());
    });
    await believe(leader);
    const follower = await run('m2');
    const { networks } = clients(follower.address);
    const field = Buffer.from([0xfa, 0x3e, 15, ...Buffer.from('from the future')]); // field 1007, bytes
    const request = CreateNetworkRequest.fromBinary(
      Buffer.concat([CreateNetworkRequest.toBinary(CreateNetworkRequest.create({ name: 'n' })), field]),
    );
    const metadata = new Metadata();
    metadata.set('causeway-actor', 'operator ada');
    metadata.set('causeway-caller', 'operator/ada'); // only a manager is believed
    const deadline = Date.now() + 3_600_000;
    await new Promise<void>((resolve, reject) =>
      networks.createNetwork(request, metadata, { deadline }, (error) => (error === null ? resolve() : reject(error))),
    );
    expect(seen[0]?.metadata.get('causeway-actor')).toEqual(['operator ada']);
    expect(seen[0]?.metadata.get(forwardedByKey)).toEqual(['m2']);
    expect(seen[0]?.metadata.get('causeway-caller')).toEqual([expect.stringMatching(/^operator\/ops \d+ \d+ \d+$/)]);
    expect(seen[0]?.unknown).toBe(true);
    // The call carries the time that is left.
    expect(Math.abs((seen[0]?.deadline ?? 0) - deadline)).toBeLessThan(60_000);
  });

  test('a refusal with a code this version does not know', async () => {
    const metadata = new Metadata();
    metadata.set('grpc-status-details-bin', Buffer.from('whatever it says'));
    const leader = await scriptedLeader((_, done) => done({ code: 10, details: 'news', metadata }));
    await believe(leader);
    const follower = await run('m2');
    const { networks } = clients(follower.address);
    const error = await new Promise<ServiceError | null>((resolve) =>
      networks.createNetwork(CreateNetworkRequest.create(), new Metadata(), {}, resolve),
    );
    expect(error).toMatchObject({ code: 10, details: 'news' });
    expect(error?.metadata.get('grpc-status-details-bin')).toEqual([Buffer.from('whatever it says')]);
  });

  test('two managers that each take the other for the leader: the call is refused after one step', async () => {
    const addresses = await Promise.all([freeAddress(), freeAddress()]);
    const [a, b] = addresses as [string, string];
    const stores = [backend, new MemoryBackend({ clock: systemClock })] as const;
    ends.push(() => stores[1].close());
    await believe(b, stores[0]);
    await believe(a, stores[1]);
    await run('a', a, stores[0]);
    await run('b', b, stores[1]);
    // Manager b answers: manager a has forwarded the call to b, and b names a.
    await expect(create(a, 'ring', '10.5.0.0/16')).rejects.toMatchObject({ code: 'not-leader', data: { leader: a } });
    await expect(create(b, 'ring', '10.5.0.0/16')).rejects.toMatchObject({ code: 'not-leader', data: { leader: b } });
  });
});

describe('a session of a host that cannot reach the leader', () => {
  test('is relayed when it asks for that, and the host is ready', async () => {
    const [leader, follower] = await pair();
    const { relayedTo } = await join(follower.address, 1, true);
    expect(relayedTo).toBe(leader.address);
    const { nodes } = clients(leader.address);
    const listed = await callUnary(nodes.listNodes.bind(nodes), ListNodesRequest.create(), limits);
    expect(listed.nodes).toMatchObject([{ name: 'h1', ready: true }]);
  });

  test('gets the address of the leader when the manager cannot reach it, and is not relayed by the leader itself', async () => {
    const [leader, follower] = await pair();
    const session = await join(follower.address, 1);
    expect([session.relayedTo, await session.ended]).toEqual([undefined, 'goodbye']);
    expect((await join(leader.address, 1, true)).relayedTo).toBe(undefined);
  });

  test('ends with the leader, or is refused when that cannot be reached', async () => {
    const [leader, follower] = await pair();
    const relayed = await join(follower.address, 1, true);
    await leader.stop();
    expect(await relayed.ended).toMatch(/goodbye|not-leader|manager-unavailable|shutting-down/);
    await leads(follower.manager);
    const third = await run('m3');
    const unused = await freeAddress();
    await believe(unused);
    await follows(third.manager, unused);
    expect(await (await join(third.address, 1, true)).ended).toBe('manager-unavailable');
  });
});
