import { createServer, type Socket } from 'node:net';
import { nodeToMessage } from '@causeway/proto';
import { ClusterServiceClient } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-client.js';
import { WatchEventsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { EndpointServiceClient } from '@causeway/proto/gen/causeway/v1/endpoint_service.grpc-client.js';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { NetworkServiceClient } from '@causeway/proto/gen/causeway/v1/network_service.grpc-client.js';
import { networkServiceDefinition } from '@causeway/proto/gen/causeway/v1/network_service.grpc-server.js';
import {
  CreateNetworkRequest,
  CreateNetworkResponse,
  ListNetworksRequest,
  WatchNetworksRequest,
} from '@causeway/proto/gen/causeway/v1/network_service.js';
import { NodeServiceClient } from '@causeway/proto/gen/causeway/v1/node_service.grpc-client.js';
import { ListNodesRequest } from '@causeway/proto/gen/causeway/v1/node_service.js';
import { SessionServiceClient } from '@causeway/proto/gen/causeway/v1/session_service.grpc-client.js';
import { Hello } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { callUnary, errorFromService, errorToService, plaintext, relayedKey, relayKey } from '@causeway/proto/io';
import { milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { cryptoRandom, systemClock } from '@causeway/runtime/io';
import { MemoryLog } from '@causeway/runtime/testing';
import {
  Metadata,
  makeGenericClientConstructor,
  Server,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createManager, type Manager } from '../../manager.ts';
import { createKeys, defaultPrefix } from '../../store/keys.ts';
import { MemoryStore } from '../../store/memory.ts';
import { MemoryBackend } from '../../store/memory-backend.ts';
import { records } from '../../store/records/index.ts';
import { nodeId, scriptNode } from '../../testing/view-script.ts';
import { freePorts } from '../etcd-server/free-ports.ts';
import { forwardedByKey } from './forward.ts';
import { GrpcPeers } from './peers.ts';
import { GrpcServer } from './server.ts';

const leaseTtl = seconds(3);
const limits = { timeout: 5_000 };
const credentials = plaintext.client();

interface Running {
  readonly manager: Manager;
  readonly address: string;
  stop(): Promise<void>;
}

let backend: MemoryBackend;
let ends: (() => unknown)[];

beforeEach(() => {
  backend = new MemoryBackend({ clock: systemClock });
  ends = [() => backend.close()];
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A real port, chosen before managers listen, so that they can be given each other's addresses. */
async function freeAddress(): Promise<string> {
  const [port] = await freePorts(1);
  return `127.0.0.1:${port}`;
}

async function run(name: string, address?: string, shared = backend): Promise<Running> {
  const advertise = address ?? (await freeAddress());
  const store = new MemoryStore({ clock: systemClock, backend: shared });
  const log = new MemoryLog();
  const settings = { name, advertise, listen: advertise, leaseTtl, prefix: defaultPrefix };
  const manager = createManager(
    { store, peers: new GrpcPeers({ credentials: plaintext }), clock: systemClock, random: cryptoRandom, log },
    settings,
  );
  const server = new GrpcServer({ manager, credentials: plaintext, clock: systemClock, log }, settings);
  await server.start();
  await manager.start();
  let isRunning = true;
  const stop = async (): Promise<void> => {
    if (!isRunning) return;
    isRunning = false;
    server.drain();
    await manager.stop();
    await server.stop();
    await store.close();
  };
  ends.push(stop);
  return { manager, address: advertise, stop };
}

/** Resolves when the view of that manager names this leader. */
async function follows(manager: Manager, address: string): Promise<void> {
  while (manager.view.leader?.address !== address) await systemClock.sleep(milliseconds(5));
}

async function leads(manager: Manager): Promise<void> {
  while (!manager.isLeader) await systemClock.sleep(milliseconds(5));
}

async function pair(): Promise<[leader: Running, follower: Running]> {
  const leader = await run('m1');
  await leads(leader.manager);
  const follower = await run('m2');
  await follows(follower.manager, leader.address);
  return [leader, follower];
}

/** Writes to the store a leader that no election has chosen. */
async function believe(address: string, shared = backend): Promise<void> {
  const store = new MemoryStore({ clock: systemClock, backend: shared });
  const value = records.leader.codec.encode({ name: 'elsewhere', address, since: 0 });
  await store.txn([], [{ kind: 'put', key: createKeys(defaultPrefix).leader, value }]);
  await store.close();
}

/** A leader that the test implements, on a real port. */
async function scriptedLeader(
  createNetwork: (
    call: ServerUnaryCall<CreateNetworkRequest, CreateNetworkResponse>,
    done: sendUnaryData<CreateNetworkResponse>,
  ) => void,
): Promise<string> {
  const server = new Server();
  const unused = (_call: unknown, done: (error: object) => void): void => done(errorToService(new Error('unused')));
  server.addService(networkServiceDefinition, {
    createNetwork,
    getNetwork: unused,
    listNetworks: unused,
    updateNetwork: unused,
    deleteNetwork: unused,
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', plaintext.server(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  ends.push(() => server.forceShutdown());
  return `127.0.0.1:${port}`;
}

/** A stopped process: it accepts connections, and never sends anything. */
async function stoppedLeader(): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

const uuid = (): string => randomUuid(cryptoRandom);

function clients(address: string) {
  const networks = new NetworkServiceClient(address, credentials);
  const endpoints = new EndpointServiceClient(address, credentials);
  const nodes = new NodeServiceClient(address, credentials);
  const cluster = new ClusterServiceClient(address, credentials);
  ends.push(() => [networks, endpoints, nodes, cluster].map((client) => client.close()));
  return { networks, endpoints, nodes, cluster };
}

function create(address: string, name: string, prefix: string, requestId = uuid(), timeout = limits.timeout) {
  const { networks } = clients(address);
  const request = CreateNetworkRequest.create({ requestId, name, subnets: [Subnet.create({ prefix })] });
  return callUnary(networks.createNetwork.bind(networks), request, { timeout });
}

interface Joined {
  /** Host:port of the leader, when the session is relayed. */
  readonly relayedTo: string | undefined;
  /** The name of the last message, or of the failure. */
  readonly ended: Promise<string>;
}

/** One host’s session at that manager, after the manager has sent everything. */
async function join(address: string, node: number, relay = false): Promise<Joined> {
  const sessions = new SessionServiceClient(address, credentials);
  const metadata = new Metadata();
  if (relay) metadata.set(relayKey, '1');
  const stream = sessions.connect(metadata);
  ends.push(() => {
    stream.cancel();
    sessions.close();
  });
  let relayedTo: string | undefined;
  stream.on('metadata', (headers) => {
    relayedTo = headers.get(relayedKey)[0]?.toString();
  });
  let last = '';
  const ended = new Promise<string>((resolve) => {
    stream.on('error', (error) => resolve(errorFromService(error as ServiceError).code));
    stream.on('end', () => resolve(last));
  });
  const ready = new Promise<void>((resolve) =>
    stream.on('data', ({ message }) => {
      last = message.oneofKind ?? '';
      if (last === 'ready' || last === 'goodbye') resolve();
    }),
  );
  const hello = Hello.create({ epoch: 1n, node: nodeToMessage(scriptNode(node), 0n) });
  stream.write({ message: { oneofKind: 'hello', hello } });
  await Promise.race([ready, ended]);
  return { relayedTo, ended };
}

function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

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
    const { endpoint } = await callUnary(
      at.follower.endpoints.claimEndpoint.bind(at.follower.endpoints),
      claim,
      limits,
    );
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
      const health = new Health(address, credentials);
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
    metadata.set('causeway-caller', 'operator/ada'); // only a manager may send this
    const deadline = Date.now() + 3_600_000;
    await new Promise<void>((resolve, reject) =>
      networks.createNetwork(request, metadata, { deadline }, (error) => (error === null ? resolve() : reject(error))),
    );
    expect(seen[0]?.metadata.get('causeway-actor')).toEqual(['operator ada']);
    expect(seen[0]?.metadata.get(forwardedByKey)).toEqual(['m2']);
    expect(seen[0]?.metadata.get('causeway-caller')).toEqual([]);
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

describe('reads while no leader answers', () => {
  const readers = (address: string) => {
    const { networks, endpoints, nodes } = clients(address);
    const remarks: string[] = [];
    const with_ = { timeout: 10_000, onRemark: (remark: string) => void remarks.push(remark) };
    return {
      remarks,
      networks: () => callUnary(networks.listNetworks.bind(networks), ListNetworksRequest.create(), with_),
      endpoints: () => callUnary(endpoints.listEndpoints.bind(endpoints), ListEndpointsRequest.create(), with_),
      nodes: () => callUnary(nodes.listNodes.bind(nodes), ListNodesRequest.create(), with_),
    };
  };

  test('a follower answers by itself and says so, whether the leader refuses connections or says nothing', async () => {
    const [leader, follower] = await pair();
    await create(leader.address, 'one', '10.1.0.0/16');
    await leader.stop();
    await leads(follower.manager);
    for (const address of [await freeAddress(), await stoppedLeader()]) {
      const third = await run(`m-${address.split(':')[1]}`);
      await believe(address);
      await follows(third.manager, address);
      const read = readers(third.address);
      expect((await read.networks()).networks).toMatchObject([
        { name: 'one', conditions: expect.arrayContaining([expect.objectContaining({ reason: 'NoLeader' })]) },
      ]);
      await read.endpoints();
      await read.nodes();
      const remark = `answers from its own state only: the leader at ${address} does not answer, so the state of the hosts is unknown`;
      expect(read.remarks).toEqual(Array.from({ length: 3 }, () => expect.stringContaining(remark)));
      await third.stop();
    }
  });

  test('a leader that answers is preferred, and remarks nothing', async () => {
    const [, follower] = await pair();
    const read = readers(follower.address);
    await read.networks();
    expect(read.remarks).toEqual([]);
  });

  test('what the leader refuses is refused', async () => {
    const [, follower] = await pair();
    const { networks } = clients(follower.address);
    const request = { network: 'none', atLeast: 0n };
    await expect(callUnary(networks.getNetwork.bind(networks), request, limits)).rejects.toMatchObject({
      code: 'network-unknown',
    });
  });
});

describe('when the leader goes', () => {
  test('no process at its address: unavailable, long before the deadline', async () => {
    await believe(await freeAddress());
    const follower = await run('m2');
    const error = await failure(create(follower.address, 'x', '10.6.0.0/16', uuid(), 60_000));
    expect(error).toMatchObject({ code: 'manager-unavailable' });
    expect((error as Error).message).toMatch(
      /^the leader at \S+ cannot be reached \(connect ECONNREFUSED \S+\): try again$/,
    );
  });

  test('it does not answer: the deadline ends the call there too', async () => {
    let ended: Promise<void> | undefined;
    const leader = await scriptedLeader((call) => {
      ended = new Promise((resolve) => call.once('cancelled', resolve));
    });
    await believe(leader);
    const follower = await run('m2');
    await expect(create(follower.address, 'x', '10.6.0.0/16', uuid(), 1_000)).rejects.toMatchObject({
      code: 'timed-out',
    });
    expect(ended).toBeDefined();
    await ended;
  });

  test('another is elected meanwhile: the caller hears of it at once', async () => {
    let asked = (): void => undefined;
    const arrived = new Promise<void>((resolve) => {
      asked = resolve;
    });
    await believe(await scriptedLeader(() => asked()));
    const follower = await run('m2');
    const error = failure(create(follower.address, 'x', '10.6.0.0/16', uuid(), 60_000));
    await arrived;
    await believe('127.0.0.1:9');
    expect(await error).toMatchObject({ code: 'not-leader', data: { leader: '127.0.0.1:9' } });
  });

  test('the follower stops: the error says to ask another manager', async () => {
    let asked = (): void => undefined;
    const arrived = new Promise<void>((resolve) => {
      asked = resolve;
    });
    await believe(await scriptedLeader(() => asked()));
    const follower = await run('m2');
    const error = failure(create(follower.address, 'x', '10.6.0.0/16', uuid(), 60_000));
    await arrived;
    await follower.stop();
    expect(await error).toMatchObject({ code: 'shutting-down' });
  });

  test('after the election the same request id has one effect', async () => {
    const [leader, follower] = await pair();
    const third = await run('m3');
    const id = uuid();
    const before = await create(third.address, 'kept', '10.7.0.0/16', id);
    await leader.stop();
    await Promise.race([leads(follower.manager), leads(third.manager)]);
    const [next, last] = follower.manager.isLeader ? [follower, third] : [third, follower];
    await follows(last.manager, next.address);
    const after = await create(last.address, 'kept', '10.7.0.0/16', id);
    expect(after.network?.id).toBe(before.network?.id);
    expect(next.manager.view.networks.size).toBe(1);
  });
});
