import { nodeToMessage } from '@causeway/proto';
import { ClusterService } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { EndpointService } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { IpamService } from '@causeway/proto/gen/causeway/v1/ipam_service.js';
import { NetworkService } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { NodeService } from '@causeway/proto/gen/causeway/v1/node_service.js';
import { SessionServiceClient } from '@causeway/proto/gen/causeway/v1/session_service.grpc-client.js';
import type { ConnectRequest, ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { HostReport, VerifyResult } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { Drift } from '@causeway/proto/gen/causeway/v1/types.js';
import { errorFromService } from '@causeway/proto/io';
import { anyMessage, type MessageType } from '@causeway/proto/testing';
import { randomUuid } from '@causeway/runtime';
import { cryptoRandom } from '@causeway/runtime/io';
import { Client, type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type GrpcManager, startGrpcManager } from '../../testing/grpc-manager.ts';
import { agentOf, operator } from '../../testing/members.ts';
import { nodeId, scriptNode } from '../../testing/view-script.ts';

let manager: GrpcManager;
let client: Client;

beforeAll(async () => {
  manager = await startGrpcManager();
  client = new Client(manager.address, operator);
});

afterAll(async () => {
  client.close();
  await manager.stop();
});

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const control = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/;
const words = ['blue', 'web', '10.66.0.0/24', '\u001b[2Jx', 'a\u0007', 'b\nroot', 'c\u009b31m', '\u202etxt.exe'];
const runs = Number(process.env['CAUSEWAY_SEEDS'] ?? '60');

interface Service {
  readonly typeName: string;
  readonly methods: readonly { readonly name: string; readonly serverStreaming: boolean; readonly I: unknown }[];
}

const services: readonly Service[] = [NetworkService, EndpointService, IpamService, NodeService, ClusterService];
const methods = services.flatMap((service) =>
  service.methods
    .filter(({ serverStreaming }) => !serverStreaming)
    .map(({ name, I }) => ({ path: `/${service.typeName}/${name}`, type: I as MessageType })),
);

const anyCall = fc.constantFrom(...methods).chain(({ path, type }) => {
  const message = anyMessage(type, words).map((fields) =>
    'requestId' in fields ? { ...fields, requestId: randomUuid(cryptoRandom) } : fields,
  );
  return message.map((fields) => ({ path, type, fields }));
});

/** All text in a value, including keys of maps. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...textsIn(item)]);
}

function storedTexts(): string[] {
  return manager.backend.history.snapshot().kvs.flatMap(({ key, value }) => {
    const text = new TextDecoder().decode(value);
    return text.startsWith('{') || text.startsWith('[') ? [key, ...textsIn(JSON.parse(text))] : [key, text];
  });
}

function call(path: string, bytes: Uint8Array): Promise<ServiceError | null> {
  const asIs = (data: Buffer): Buffer => data;
  const options = { deadline: Date.now() + 500 };
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, asIs, asIs, Buffer.from(bytes), new Metadata(), options, (error) => resolve(error));
  });
}

test('no call with text that commands a terminal is let in, and no answer repeats it', async () => {
  await fc.assert(
    fc.asyncProperty(anyCall, async ({ path, type, fields }) => {
      const failure = await call(path, type.toBinary(fields));
      const error = failure === null ? undefined : errorFromService(failure);
      if (textsIn(fields).some((text) => control.test(text)))
        expect(error?.kind, JSON.stringify(failure)).toBe('invalid');
      for (const text of [error?.message ?? '', ...textsIn(error?.data ?? {})]) expect(text).not.toMatch(control);
    }),
    { numRuns: runs },
  );
  expect(storedTexts().filter((text) => control.test(text))).toEqual([]);
});

class Agent {
  readonly #client = new SessionServiceClient(manager.address, agentOf(nodeId(1)));
  readonly #call: ClientDuplexStream<ConnectRequest, ConnectResponse> = this.#client.connect();
  readonly received: string[] = [];

  constructor(version: string) {
    this.#call.on('data', ({ message }: ConnectResponse) => this.received.push(message.oneofKind ?? ''));
    this.#call.on('error', (error: ServiceError) => this.received.push(errorFromService(error).message));
    const node = { ...nodeToMessage(scriptNode(1), 0n), version };
    const hello = { clusterId: '', epoch: 0n, node, cursors: [], feedVersions: [] };
    this.say({ oneofKind: 'hello', hello });
  }

  say(message: ConnectRequest['message']): void {
    this.#call.write({ message });
  }

  close(): void {
    this.#call.cancel();
    this.#client.close();
  }
}

test('a Hello with such text is refused by the name of the field', async () => {
  const agent = new Agent('1.0\u001b[2J');
  await vi.waitFor(
    () => expect(agent.received).toEqual([expect.stringMatching(/^node.version has control or invisible characters/)]),
    10_000,
  );
  agent.close();
});

test('control characters in reports of an agent are escaped before they are shown or stored', async () => {
  const agent = new Agent('1.0');
  await vi.waitFor(() => expect(agent.received).toContain('ready'), 10_000);
  const repaired = [
    Drift.create({
      network: '\u001b]0;pwned\u0007',
      kind: 'fdb\n',
      key: '\u001b[2J\n',
      desired: 'x\u202e',
      host: 'h',
    }),
  ];
  agent.say({ oneofKind: 'report', report: HostReport.create({ repaired }) });
  agent.say({ oneofKind: 'verifyResult', verifyResult: VerifyResult.create({ call: 1n, error: '\u001b[31m' }) });
  await vi.waitFor(() => expect(storedTexts().some((text) => text.includes('\\e[2J\\n repaired'))).toBe(true), 10_000);
  expect(storedTexts().filter((text) => control.test(text))).toEqual([]);
  agent.close();
});
