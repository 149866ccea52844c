import { ClientCredentials } from '@causeway/identity/io';
import { clientOf, TestCluster } from '@causeway/identity/io/testing';
import type { ClusterId, NodeId } from '@causeway/model';
import { nodeToMessage } from '@causeway/proto';
import { ClusterServiceClient } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-client.js';
import { NetworkServiceClient } from '@causeway/proto/gen/causeway/v1/network_service.grpc-client.js';
import { CreateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { SessionServiceClient } from '@causeway/proto/gen/causeway/v1/session_service.grpc-client.js';
import { Hello } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { callUnary, errorFromService } from '@causeway/proto/io';
import { randomUuid } from '@causeway/runtime';
import { cryptoRandom, systemClock } from '@causeway/runtime/io';
import { Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKeys, defaultPrefix } from '../../store/keys.ts';
import { MemoryStore } from '../../store/memory.ts';
import { records } from '../../store/records/index.ts';
import { type GrpcManager, startGrpcManager } from '../../testing/grpc-manager.ts';
import { agentOf, operator, testCluster } from '../../testing/members.ts';
import { nodeId, scriptNode } from '../../testing/view-script.ts';

const own = { grpc: { 'grpc.use_local_subchannel_pool': 1 } };
let manager: GrpcManager;

beforeAll(async () => {
  manager = await startGrpcManager();
});
afterAll(() => manager.stop());

async function failureOf(call: Promise<unknown>): Promise<{ code: string; message: string } | undefined> {
  return await call.then(
    () => undefined,
    (error: { code: string; message: string }) => error,
  );
}

async function remove(id: NodeId): Promise<void> {
  const store = new MemoryStore({ clock: systemClock, backend: manager.backend });
  const removal = { role: 'agent', id, at: Date.now(), until: Date.now() + 60_000, reason: 'a test' } as const;
  const key = createKeys(defaultPrefix).removed('agent', id);
  await store.txn([], [{ kind: 'put', key, value: records.removed.codec.encode(removal) }]);
  await store.close();
}

/** A read that every member may make, on a connection of its own. */
async function getStatus(credentials: ClientCredentials): Promise<unknown> {
  const client = new ClusterServiceClient(manager.address, credentials, own.grpc);
  return await callUnary(client.getStatus.bind(client), {}, { timeout: 5_000 }).finally(() => client.close());
}

/** With metadata in which the caller says who it is. */
function createNetwork(credentials: ClientCredentials, says: string, name: string): Promise<unknown> {
  const client = new NetworkServiceClient(manager.address, credentials, own.grpc);
  const metadata = new Metadata();
  const now = Date.now();
  metadata.set('causeway-caller', `${says} ${now} ${now - 1_000} ${now + 60_000}`);
  const request = CreateNetworkRequest.create({ requestId: randomUuid(cryptoRandom), name, ipv4: true });
  return new Promise((resolve, reject) => {
    client.createNetwork(request, metadata, (error, answer) => {
      client.close();
      if (error === null) resolve(answer);
      else reject(errorFromService(error));
    });
  });
}

/** A session of a host. `ready`: it was welcomed. `ended`: the code of the error that it ended with. */
function session(credentials: ClientCredentials, node: number) {
  const client = new SessionServiceClient(manager.address, credentials, own.grpc);
  const stream = client.connect();
  const hello = Hello.create({ epoch: 1n, node: nodeToMessage(scriptNode(node), 0n) });
  const ready = new Promise<void>((resolve) =>
    stream.on('data', ({ message }) => message.oneofKind === 'ready' && resolve()),
  );
  const ended = new Promise<string>((resolve) =>
    stream.on('error', (error: ServiceError) => resolve(errorFromService(error).code)),
  ).finally(() => client.close());
  stream.write({ message: { oneofKind: 'hello', hello } });
  return { ready, ended };
}

describe('a host that has not joined', () => {
  const joiner = new ClientCredentials({ pin: testCluster.pin, now: () => Date.now() });

  test('is told what to do', async () => {
    expect(await failureOf(getStatus(joiner))).toMatchObject({
      code: 'certificate-missing',
      message: expect.stringContaining('run "causeway join"'),
    });
    expect(await session(joiner, 1).ended).toBe('certificate-missing');
  });

  test('learns nothing from health and reflection, which members may ask', async () => {
    const ask = (credentials: ClientCredentials): Promise<number> => {
      const client = new Client(manager.address, credentials, own.grpc);
      const { path, requestSerialize, responseDeserialize } = healthService['Check'] as (typeof healthService)[string];
      return new Promise((resolve) => {
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service: '' }, (error) => {
          client.close();
          resolve(error?.code ?? 0);
        });
      });
    };
    const reflect = (credentials: ClientCredentials): Promise<number> => {
      const client = new Client(manager.address, credentials, own.grpc);
      const bytes = (value: Buffer): Buffer => value;
      const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
      const stream = client.makeBidiStreamRequest(path, bytes, bytes);
      stream.on('data', () => undefined);
      stream.on('error', () => undefined);
      stream.end(Buffer.from([0x3a, 0x00])); // list_services
      return new Promise<number>((resolve) => stream.on('status', ({ code }) => resolve(code))).finally(() =>
        client.close(),
      );
    };
    expect(await Promise.all([ask(joiner), reflect(joiner)])).toEqual([7, 7]);
    expect(await Promise.all([ask(operator), reflect(agentOf(nodeId(1)))])).toEqual([0, 0]);
  });
});

test('a host of another cluster is refused by name', async () => {
  const other = new TestCluster({ id: 'fedcba9876543210' as ClusterId, seed: 7 });
  const stranger = other.member('agent', nodeId(1));
  stranger.replace({ ...stranger.current, trust: testCluster.credential('agent', nodeId(1)).trust });
  // It knows the CA of this cluster, and takes its managers for its own.
  const expected = () => ({ ...testCluster.expectedOfManagers });
  const credentials = new ClientCredentials({ credential: stranger, expected });
  expect(await failureOf(getStatus(credentials))).toMatchObject({
    code: 'cluster-mismatch',
    message: `agent/${nodeId(1)} belongs to the cluster ${other.id}; this is the cluster ${testCluster.id}`,
  });
});

test('an agent acts for its own node only', async () => {
  expect(await session(agentOf(nodeId(1)), 2).ended).toBe('permission-denied');
});

describe('who a caller says it is', () => {
  test.each([
    ['counts from a manager', testCluster.client('manager', 'm2'), 'operator/ada', undefined],
    [
      'counts from a manager, against the call, too',
      testCluster.client('manager', 'm2'),
      `agent/${nodeId(1)}`,
      'permission-denied',
    ],
    ['does not count from an agent', agentOf(nodeId(1)), 'operator/ada', 'permission-denied'],
    ['does not count from an operator', operator, `agent/${nodeId(1)}`, undefined],
  ] as const)('%s', async (what, credentials, says, code) => {
    const name = what.replaceAll(/[^a-z]+/g, '-');
    expect((await failureOf(createNetwork(credentials, says, name)))?.code).toBe(code);
  });
});

describe('a verdict does not last as long as the connection', () => {
  test('a host that is removed loses its session within two seconds, and then hears why', async () => {
    const credentials = agentOf(nodeId(3));
    const { ready, ended } = session(credentials, 3);
    await ready;
    const before = Date.now();
    await remove(nodeId(3));
    expect(await ended).toBe('manager-unavailable');
    expect(Date.now() - before).toBeLessThan(2_000);
    expect(await failureOf(getStatus(credentials))).toMatchObject({ code: 'node-removed' });
    expect(await session(credentials, 3).ended).toBe('node-removed');
    expect(await failureOf(getStatus(agentOf(nodeId(4))))).toBeUndefined();
  });

  test('a certificate that expires ends the session; a renewed certificate begins the next at once', async () => {
    const node = nodeId(5) as NodeId;
    const member = testCluster.member('agent', node, { life: 3_000 });
    const credentials = clientOf(member);
    const { ready, ended } = session(credentials, 5);
    await ready;
    expect(await ended).toBe('manager-unavailable');
    member.replace(testCluster.credential('agent', node));
    const next = session(credentials, 5);
    await next.ready;
    member.replace(testCluster.credential('agent', node, { at: Date.now() - 60_000, life: 1_000 }));
    expect(await failureOf(getStatus(credentials))).toMatchObject({ code: 'certificate-expired' });
  });
});
