import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { managerDnsName } from '@causeway/identity';
import { identityPaths, writeCredential } from '@causeway/identity/io';
import { CausewayError } from '@causeway/model';
import { nodeToMessage } from '@causeway/proto';
import { ClusterServiceClient } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-client.js';
import { WatchEventsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { EndpointServiceClient } from '@causeway/proto/gen/causeway/v1/endpoint_service.grpc-client.js';
import { NetworkServiceClient } from '@causeway/proto/gen/causeway/v1/network_service.grpc-client.js';
import { CreateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { SessionServiceClient } from '@causeway/proto/gen/causeway/v1/session_service.grpc-client.js';
import type { ConnectRequest, ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { callUnary, errorFromService } from '@causeway/proto/io';
import { Queue, randomUuid, seconds } from '@causeway/runtime';
import { cryptoRandom, systemClock } from '@causeway/runtime/io';
import { MemoryLog } from '@causeway/runtime/testing';
import { type ClientDuplexStream, Metadata, makeGenericClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createManager, type Manager } from '../../manager.ts';
import { defaultPrefix } from '../../store/keys.ts';
import { MemoryStore } from '../../store/memory.ts';
import { agentOf, operator, serverIdentity, testCluster } from '../../testing/members.ts';
import { nodeId, scriptNode } from '../../testing/view-script.ts';
import { GrpcPeers } from './peers.ts';
import { GrpcServer } from './server.ts';

const root = fileURLToPath(new URL('../../../../..', import.meta.url));
const limits = { timeout: 5_000 };
const log = new MemoryLog();
const settings = { name: 'm1', advertise: '127.0.0.1:1', leaseTtl: seconds(3), prefix: defaultPrefix };
const peers = new GrpcPeers({ credentials: operator });
const modules = {
  store: new MemoryStore({ clock: systemClock }),
  peers,
  clock: systemClock,
  random: cryptoRandom,
  log,
};
let manager: Manager;
let server: GrpcServer;
let address: string;

beforeAll(async () => {
  manager = createManager(modules, settings);
  server = new GrpcServer(
    { manager, ...serverIdentity('m1'), clock: systemClock, log },
    { ...settings, listen: '127.0.0.1:0' },
  );
  await server.start();
  address = `127.0.0.1:${server.port}`;
  const leads = new Promise((resolve) => manager.onLeadership(resolve));
  await manager.start();
  await leads;
});

afterAll(async () => {
  server.drain();
  await manager.stop();
  await server.stop();
});

const uuid = (): string => randomUuid(cryptoRandom);

function createNetwork(name: string, prefix: string) {
  const networks = new NetworkServiceClient(address, operator);
  const request = CreateNetworkRequest.create({ requestId: uuid(), name, subnets: [Subnet.create({ prefix })] });
  return callUnary(networks.createNetwork.bind(networks), request, limits).finally(() => networks.close());
}

/** One agent's stream, read message by message. */
class Stream {
  readonly #client: SessionServiceClient;
  readonly #call: ClientDuplexStream<ConnectRequest, ConnectResponse>;
  readonly #messages = new Queue<ConnectResponse>();
  readonly #reader = this.#messages[Symbol.asyncIterator]();

  readonly #node: number;

  constructor(node: number, at = address) {
    this.#node = node;
    this.#client = new SessionServiceClient(at, agentOf(nodeId(node)));
    this.#call = this.#client.connect();
    this.#call.on('data', (message: ConnectResponse) => this.#messages.push(message));
    this.#call.on('end', () => this.#messages.end());
    this.#call.on('error', (error: ServiceError) => this.#messages.fail(errorFromService(error)));
  }

  say(message: ConnectRequest['message']): void {
    this.#call.write({ message });
  }

  hello(clusterId = ''): void {
    const hello = {
      clusterId,
      epoch: 1n,
      node: nodeToMessage(scriptNode(this.#node), 0n),
      cursors: [],
      feedVersions: [],
    };
    this.say({ oneofKind: 'hello', hello });
  }

  async next(): Promise<ConnectResponse['message']['oneofKind'] | 'end'> {
    const { value, done } = await this.#reader.next();
    return done === true ? 'end' : value.message.oneofKind;
  }

  close(): void {
    this.#call.end();
    this.#client.close();
  }
}

describe('calls', () => {
  test('an answer has all its fields; an error its code, data and text', async () => {
    const { network } = await createNetwork('one', '10.1.0.0/16');
    expect(network).toMatchObject({
      name: 'one',
      mtu: 1450,
      subnets: [{ prefix: '10.1.0.0/16', gateway: '10.1.0.1' }],
    });
    const failure = await createNetwork('two', '10.1.2.3/16').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CausewayError);
    expect(failure).toMatchObject({
      code: 'prefix-host-bits',
      data: { field: 'subnets[0]', suggestion: '10.1.0.0/16' },
    });
  });

  test('a wait that the deadline ends says what it waited for', async () => {
    await createNetwork('waits', '10.2.0.0/16');
    const stream = new Stream(1);
    stream.hello();
    expect([await stream.next(), await stream.next()]).toEqual(['welcome', 'ready']);
    const endpoints = new EndpointServiceClient(address, agentOf(nodeId(1)));
    const claim = {
      requestId: uuid(),
      network: 'waits',
      name: 'web',
      nodeId: nodeId(1),
      addresses: [],
      labels: {},
      endpointId: '',
    };
    await callUnary(endpoints.claimEndpoint.bind(endpoints), claim, limits);
    expect(await stream.next()).toBe('complete');
    // The deadline is set as metadata, as on the wire: the client's own timer could be first on a busy machine.
    const deadline = new Metadata();
    deadline.set('grpc-timeout', '1000m');
    const ended = await new Promise<ServiceError | null>((resolve) =>
      endpoints.waitEndpoint({ endpoint: 'web', atLeast: 0n }, deadline, resolve),
    );
    expect(ended && errorFromService(ended)).toMatchObject({ code: 'timed-out', data: { waiting: 'h1' } });
    endpoints.close();
    stream.close();
  });

  test('events stream until their reader leaves', async () => {
    const cluster = new ClusterServiceClient(address, operator);
    const call = cluster.watchEvents(WatchEventsRequest.create({ follow: true }));
    const kinds: (string | undefined)[] = [];
    const seen = new Promise<void>((resolve) =>
      call.on('data', (response) => {
        kinds.push(response.event?.kind);
        if (response.event?.network === 'late') resolve();
      }),
    );
    call.on('error', () => undefined);
    await createNetwork('late', '10.3.0.0/16');
    await seen;
    // The event that the manager leads is written in parallel with its first callers' events, before or after them.
    expect(kinds.filter((kind) => kind !== 'leader.changed')[0]).toBe('network.created');
    call.cancel();
    cluster.close();
  });
});

describe('what an agent sends ends its own session at most', () => {
  test('another cluster’s agent is refused with the code', async () => {
    const stream = new Stream(2);
    stream.hello('dddddddddddddddd');
    await expect(stream.next()).rejects.toMatchObject({ code: 'cluster-mismatch' });
  });

  test('bytes that are no message', async () => {
    const Raw = makeGenericClientConstructor(
      {
        connect: {
          path: '/causeway.v1.SessionService/Connect',
          requestStream: true,
          responseStream: true,
          requestSerialize: (bytes: Buffer) => bytes,
          requestDeserialize: (bytes: Buffer) => bytes,
          responseSerialize: (bytes: Buffer) => bytes,
          responseDeserialize: (bytes: Buffer) => bytes,
        },
      },
      'Raw',
    );
    for (const garbage of [Buffer.from('ffffffffffffff', 'hex'), Buffer.alloc(10 * 1024 * 1024)]) {
      const raw = new Raw(address, agentOf(nodeId(1)));
      const call = (raw['connect'] as () => ClientDuplexStream<Buffer, Buffer>).call(raw);
      const failed = new Promise<ServiceError>((resolve) => call.on('error', resolve));
      call.on('data', () => undefined);
      call.write(garbage);
      expect([3, 8]).toContain((await failed).code);
      raw.close();
    }
  });

  test('bytes that are not HTTP/2', async () => {
    const socket = connect(server.port, '127.0.0.1');
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => undefined).resume();
    socket.write(Buffer.alloc(4096, 0x7f));
    await closed;
  });

  test('and the manager still serves', async () => {
    const stream = new Stream(2);
    stream.hello();
    expect([await stream.next(), await stream.next()]).toEqual(['welcome', 'ready']);
    stream.close();
    expect(await stream.next()).toBe('end');
    expect(log.lines.filter((line) => line.level === 'error')).toEqual([]);
  });
});

describe('for tools that know nothing of us', () => {
  test('health has an entry for the process and one for each service', async () => {
    const Health = makeGenericClientConstructor(healthService as never, 'Health');
    const health = new Health(address, operator);
    const check = (service: string): Promise<string> =>
      new Promise((resolve) => {
        const done = (error: ServiceError | null, answer?: { status: string }): void =>
          resolve(error === null ? (answer?.status ?? '') : `error ${error.code}`);
        (
          health['check'] as (
            request: object,
            done: (error: ServiceError | null, answer?: { status: string }) => void,
          ) => void
        ).call(health, { service }, done);
      });
    expect(
      await Promise.all(
        ['', 'causeway.v1.SessionService', 'causeway.v1.ClusterService', 'x'].map((service) => check(service)),
      ),
    ).toEqual(['SERVING', 'SERVING', 'SERVING', 'error 5']);
    health.close();
  });

  test('reflection is enough for buf curl', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'causeway-operator-'));
    await writeCredential(directory, testCluster.credential('operator', 'ops'));
    const { identity, trust } = identityPaths(directory);
    const buf = (path: string, data: string) =>
      promisify(execFile)(
        process.execPath,
        [
          `${root}node_modules/@bufbuild/buf/bin/buf`,
          'curl',
          ...['--cacert', trust, '--cert', identity, '--key', identity, '--servername', managerDnsName(testCluster.id)],
          ...['--protocol', 'grpc', '-d', data, `https://${address}/${path}`],
        ],
        { timeout: 20_000 },
      );
    const { stdout } = await buf('causeway.v1.ClusterService/GetStatus', '{}');
    expect(JSON.parse(stdout)).toMatchObject({ leader: { manager: 'm1' }, clusterId: manager.view.cluster?.id });
    const health = await buf('grpc.health.v1.Health/Check', '{"service": ""}');
    expect(JSON.parse(health.stdout)).toEqual({ status: 'SERVING' });
    rmSync(directory, { recursive: true });
  });
});

test('the error for a port that is in use says what to do', async () => {
  const second = new GrpcServer(
    { manager, ...serverIdentity('m1'), clock: systemClock, log },
    { ...settings, listen: address },
  );
  await expect(second.start()).rejects.toMatchObject({
    code: 'listen-failed',
    message: expect.stringContaining('another process has that port'),
  });
  await second.stop();
});

test('stopping: goodbye to agents, health says no first, and it ends in time', async () => {
  const ownSettings = { ...settings, name: 'm2', advertise: '127.0.0.1:2' };
  const own = createManager({ ...modules, store: new MemoryStore({ clock: systemClock }) }, ownSettings);
  const ownServer = new GrpcServer(
    { manager: own, ...serverIdentity('m2'), clock: systemClock, log },
    { ...ownSettings, listen: '127.0.0.1:0' },
  );
  await ownServer.start();
  const leads = new Promise((resolve) => own.onLeadership(resolve));
  await own.start();
  await leads;
  const stream = new Stream(3, `127.0.0.1:${ownServer.port}`);
  stream.hello();
  expect([await stream.next(), await stream.next()]).toEqual(['welcome', 'ready']);
  ownServer.drain();
  await own.stop();
  await ownServer.stop();
  expect([await stream.next(), await stream.next()]).toEqual(['goodbye', 'end']);
  stream.close();
});

describe('managers and backups', () => {
  test('the managers are listed, the leader among them', async () => {
    const cluster = new ClusterServiceClient(address, operator);
    const least = manager.view.revision;
    const { managers } = await callUnary(cluster.listManagers.bind(cluster), {}, limits);
    expect(managers).toMatchObject([{ name: 'm1', leader: true }]);
    expect(managers[0]?.revision).toBeGreaterThanOrEqual(least);
    expect(managers[0]?.revision).toBeLessThanOrEqual(manager.view.revision);
    cluster.close();
  });

  test('a store without members and snapshots is refused by name', async () => {
    const cluster = new ClusterServiceClient(address, operator);
    const removal = { requestId: uuid(), name: 'm1', force: false };
    const unknown = { ...removal, requestId: uuid(), name: 'm9' };
    await expect(callUnary(cluster.removeManager.bind(cluster), unknown, limits)).rejects.toMatchObject({
      code: 'manager-unknown',
    });
    await expect(callUnary(cluster.removeManager.bind(cluster), removal, limits)).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('has no etcd member to remove'),
    });
    const parts = async (): Promise<void> => {
      for await (const _ of cluster.createBackup({})) throw new Error('a backup of nothing');
    };
    await expect(parts().catch((error: ServiceError) => errorFromService(error).code)).resolves.toBe(
      'capability-missing',
    );
    cluster.close();
  });
});
