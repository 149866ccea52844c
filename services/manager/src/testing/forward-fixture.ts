/** Managers that serve gRPC on 127.0.0.1, over one store in memory. */

import { createServer, type Socket } from 'node:net';
import { nodeToMessage } from '@causeway/proto';
import { ClusterServiceClient } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-client.js';
import { EndpointServiceClient } from '@causeway/proto/gen/causeway/v1/endpoint_service.grpc-client.js';
import { NetworkServiceClient } from '@causeway/proto/gen/causeway/v1/network_service.grpc-client.js';
import { networkServiceDefinition } from '@causeway/proto/gen/causeway/v1/network_service.grpc-server.js';
import { CreateNetworkRequest, type CreateNetworkResponse } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { NodeServiceClient } from '@causeway/proto/gen/causeway/v1/node_service.grpc-client.js';
import { SessionServiceClient } from '@causeway/proto/gen/causeway/v1/session_service.grpc-client.js';
import { Hello } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { callUnary, errorFromService, errorToService, relayedKey, relayKey } from '@causeway/proto/io';
import { milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { cryptoRandom, systemClock } from '@causeway/runtime/io';
import { MemoryLog } from '@causeway/runtime/testing';
import { Metadata, Server, type ServerUnaryCall, type ServiceError, type sendUnaryData } from '@grpc/grpc-js';
import { afterEach, beforeEach } from 'vitest';
import { freePorts } from '../io/etcd-server/free-ports.ts';
import { GrpcPeers } from '../io/grpc/peers.ts';
import { GrpcServer } from '../io/grpc/server.ts';
import { createManager, type Manager } from '../manager.ts';
import { createKeys, defaultPrefix } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { records } from '../store/records/index.ts';
import { agentOf, operator, serverIdentity, testCluster } from './members.ts';
import { nodeId, scriptNode } from './view-script.ts';

export const leaseTtl = seconds(3);

export const limits = { timeout: 5_000 };

export interface Running {
  readonly manager: Manager;
  readonly address: string;
  stop(): Promise<void>;
}

export let backend: MemoryBackend;

export let ends: (() => unknown)[];

beforeEach(() => {
  backend = new MemoryBackend({ clock: systemClock });
  ends = [() => backend.close()];
});

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A real port, chosen before managers listen, so that they can be given each other's addresses. */
export async function freeAddress(): Promise<string> {
  const [port] = await freePorts(1);
  return `127.0.0.1:${port}`;
}

export async function run(name: string, address?: string, shared = backend): Promise<Running> {
  const advertise = address ?? (await freeAddress());
  const store = new MemoryStore({ clock: systemClock, backend: shared });
  const log = new MemoryLog();
  const settings = { name, advertise, listen: advertise, leaseTtl, prefix: defaultPrefix };
  const manager = createManager(
    { store, peers: new GrpcPeers({ credentials: operator }), clock: systemClock, random: cryptoRandom, log },
    settings,
  );
  const server = new GrpcServer({ manager, ...serverIdentity(name), clock: systemClock, log }, settings);
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
export async function follows(manager: Manager, address: string): Promise<void> {
  while (manager.view.leader?.address !== address) await systemClock.sleep(milliseconds(5));
}

export async function leads(manager: Manager): Promise<void> {
  while (!manager.isLeader) await systemClock.sleep(milliseconds(5));
}

export async function pair(): Promise<[leader: Running, follower: Running]> {
  const leader = await run('m1');
  await leads(leader.manager);
  const follower = await run('m2');
  await follows(follower.manager, leader.address);
  return [leader, follower];
}

/** Writes to the store a leader that no election has chosen. */
export async function believe(address: string, shared = backend): Promise<void> {
  const store = new MemoryStore({ clock: systemClock, backend: shared });
  const value = records.leader.codec.encode({ name: 'elsewhere', address, since: 0 });
  await store.txn([], [{ kind: 'put', key: createKeys(defaultPrefix).leader, value }]);
  await store.close();
}

/** A leader that the test implements, on a real port. */
export async function scriptedLeader(
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
  const { address, stop } = await testCluster.serve(server);
  ends.push(stop);
  return address;
}

/** A stopped process: it accepts connections, and never sends anything. */
export async function stoppedLeader(): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

export const uuid = (): string => randomUuid(cryptoRandom);

export function clients(address: string, credentials = operator) {
  const networks = new NetworkServiceClient(address, credentials);
  const endpoints = new EndpointServiceClient(address, credentials);
  const nodes = new NodeServiceClient(address, credentials);
  const cluster = new ClusterServiceClient(address, credentials);
  ends.push(() => [networks, endpoints, nodes, cluster].map((client) => client.close()));
  return { networks, endpoints, nodes, cluster };
}

export function create(address: string, name: string, prefix: string, requestId = uuid(), timeout = limits.timeout) {
  const { networks } = clients(address);
  const request = CreateNetworkRequest.create({ requestId, name, subnets: [Subnet.create({ prefix })] });
  return callUnary(networks.createNetwork.bind(networks), request, { timeout });
}

export interface Joined {
  /** Host:port of the leader, when the session is relayed. */
  readonly relayedTo: string | undefined;
  /** The name of the last message, or of the failure. */
  readonly ended: Promise<string>;
}

/** One host’s session at that manager, after the manager has sent everything. */
export async function join(address: string, node: number, relay = false): Promise<Joined> {
  const sessions = new SessionServiceClient(address, agentOf(nodeId(node)));
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

export function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
