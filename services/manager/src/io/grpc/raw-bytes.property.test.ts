import { CausewayError } from '@causeway/model';
import { ClusterService } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { EndpointService } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { IpamService } from '@causeway/proto/gen/causeway/v1/ipam_service.js';
import { NetworkService } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { NodeService } from '@causeway/proto/gen/causeway/v1/node_service.js';
import { errorFromService } from '@causeway/proto/io';
import { anyMessage, type MessageType } from '@causeway/proto/testing';
import { seconds } from '@causeway/runtime';
import { cryptoRandom, systemClock } from '@causeway/runtime/io';
import { MemoryLog } from '@causeway/runtime/testing';
import { Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createManager, type Manager } from '../../manager.ts';
import { defaultPrefix } from '../../store/keys.ts';
import { MemoryStore } from '../../store/memory.ts';
import { operator, serverIdentity } from '../../testing/members.ts';
import { GrpcPeers } from './peers.ts';
import { GrpcServer } from './server.ts';

const log = new MemoryLog();
const settings = { name: 'm1', advertise: '127.0.0.1:1', leaseTtl: seconds(3), prefix: defaultPrefix };
const runs = Number(process.env['CAUSEWAY_SEEDS'] ?? '100');
let manager: Manager;
let server: GrpcServer;
let client: Client;

beforeAll(async () => {
  const peers = new GrpcPeers({ credentials: operator });
  const modules = {
    store: new MemoryStore({ clock: systemClock }),
    peers,
    clock: systemClock,
    random: cryptoRandom,
    log,
  };
  manager = createManager(modules, settings);
  const parts = { manager, ...serverIdentity('m1'), clock: systemClock, log };
  server = new GrpcServer(parts, { ...settings, listen: '127.0.0.1:0' });
  await server.start();
  const leads = new Promise((resolve) => manager.onLeadership(resolve));
  await manager.start();
  await leads;
  client = new Client(`127.0.0.1:${server.port}`, operator);
});

afterAll(async () => {
  client.close();
  server.drain();
  await manager.stop();
  await server.stop();
});

interface Service {
  readonly typeName: string;
  readonly methods: readonly { readonly name: string; readonly serverStreaming: boolean; readonly I: unknown }[];
}

const services: readonly Service[] = [NetworkService, EndpointService, IpamService, NodeService, ClusterService];
const methods = services.flatMap(({ typeName, methods: of }) =>
  of
    .filter(({ serverStreaming }) => !serverStreaming)
    .map(({ name, I }) => ({ path: `/${typeName}/${name}`, type: I as MessageType })),
);

interface Sent {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Bytes that are a message cut off at some point, a message with one byte changed, or not a message at all. */
const anySent: fc.Arbitrary<Sent> = fc.constantFrom(...methods).chain(({ path, type }) => {
  const message = anyMessage(type, ['blue', '10.66.0.0/24']).map((fields) => type.toBinary(fields));
  const cut = fc.tuple(message, fc.nat()).map(([bytes, at]) => bytes.slice(0, at % (bytes.length + 1)));
  const changed = fc.tuple(message, fc.nat(), fc.nat(255)).map(([bytes, at, byte]) => {
    return bytes.map((old: number, i: number) => (i === at % bytes.length ? byte : old));
  });
  return fc.oneof(cut, changed, fc.uint8Array({ maxLength: 64 })).map((bytes) => ({ path, bytes }));
});

function send({ path, bytes }: Sent): Promise<ServiceError | null> {
  const asIs = (data: Buffer): Buffer => data;
  const options = { deadline: Date.now() + 2_000 };
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, asIs, asIs, Buffer.from(bytes), new Metadata(), options, (error) => resolve(error));
  });
}

test.each(methods)('$path refuses what cannot be decoded, and names the request', async ({ path }) => {
  // Field number 0, which is reserved (https://protobuf.dev/programming-guides/encoding/).
  const error = errorFromService((await send({ path, bytes: Uint8Array.of(0) })) as ServiceError);
  expect(error).toMatchObject({ kind: 'invalid', data: { field: 'request' } });
});

test('whatever bytes come, they are refused with a code of ours or understood, and no error is logged', async () => {
  await fc.assert(
    fc.asyncProperty(anySent, async (sent) => {
      const refused = await send(sent);
      if (refused === null) return;
      const error = errorFromService(refused);
      expect(error).toBeInstanceOf(CausewayError);
      expect(error.kind, error.message).not.toBe('internal');
      if (error.kind === 'invalid') expect(error.data['field'], error.message).toEqual(expect.stringMatching(/./));
    }),
    { numRuns: runs },
  );
  expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
}, 60_000);
