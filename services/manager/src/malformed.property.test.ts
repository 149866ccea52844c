import { CausewayError, type NodeId } from '@causeway/model';
import { ClusterService } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { EndpointService } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { IpamService } from '@causeway/proto/gen/causeway/v1/ipam_service.js';
import { NetworkService } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { ListNodesRequest, NodeService } from '@causeway/proto/gen/causeway/v1/node_service.js';
import { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { anyMessage, type Message, type MessageType } from '@causeway/proto/testing';
import { milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { SeededRandom } from '@causeway/runtime/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CallContext } from './call/context.ts';
import { under } from './store/contract/act.ts';
import { defaultPrefix } from './store/keys.ts';
import { callContext } from './testing/call-context.ts';
import { MemoryAgent } from './testing/memory-agent.ts';
import { MemoryCluster, type RunningManager } from './testing/memory-cluster.ts';
import { nodeId, scriptNode } from './testing/view-script.ts';

const random = new SeededRandom(1);
const runs = Number(process.env['CAUSEWAY_SEEDS'] ?? '40');

interface Method {
  readonly name: string;
  /** Returns a promise or a stream of answers. */
  readonly serve: (running: RunningManager, request: Message, call: CallContext) => unknown;
  readonly isStream: boolean;
  readonly type: MessageType;
}

interface Attempt {
  readonly method: string;
  readonly request: Message;
}

const methods = new Map(
  [
    ...methodsOf(NetworkService, ({ manager }) => manager.api.network),
    ...methodsOf(EndpointService, ({ manager }) => manager.api.endpoint),
    ...methodsOf(IpamService, ({ manager }) => manager.api.ipam),
    ...methodsOf(NodeService, ({ manager }) => manager.api.node),
    ...methodsOf(ClusterService, ({ manager }) => manager.api.cluster),
  ].map((method) => [method.name, method] as const),
);

interface Service {
  readonly methods: readonly { readonly localName: string; readonly serverStreaming: boolean; readonly I: unknown }[];
}

function methodsOf({ methods: of }: Service, open: (running: RunningManager) => object): readonly Method[] {
  return of.map(({ localName, serverStreaming, I }) => ({
    name: localName,
    serve: (running, request, call) => {
      const door = open(running) as Record<string, (request: Message, call: CallContext) => unknown>;
      if (door[localName] === undefined) throw new Error(`no method is named ${localName}`);
      return door[localName](request, call);
    },
    isStream: serverStreaming,
    type: I as MessageType,
  }));
}

function methodNamed(name: string): Method {
  const method = methods.get(name);
  if (method === undefined) throw new Error(`there is no ${name}`);
  return method;
}

/** Names of things that exist, and of things that could exist. */
const words = [
  'blue',
  'six',
  'web',
  'blue/web',
  'green',
  'default',
  'h1',
  nodeId(1),
  'e0000000000000aa',
  '10.66.0.1',
  '10.66.0.2',
  '10.66.0.9',
  '10.66.0.0/24',
  '10.66.0.128/25',
  '10.67.0.0/24',
  '10.67.0.0/32',
  'fd66::2',
  'fd66::/64',
  'fd67::/64',
  'team',
  'team=core',
  'name=blue',
];

/** Valid calls, from which the test makes malformed ones. */
const examples: Readonly<Record<string, Message>> = {
  createNetwork: { name: 'green', subnets: [Subnet.create({ prefix: '10.67.0.0/24' })] },
  updateNetwork: { network: 'blue', setLabels: { team: 'core' } },
  deleteNetwork: { network: 'six' },
  getNetwork: { network: 'blue' },
  claimEndpoint: { network: 'blue', name: 'db', nodeId: nodeId(1) },
  releaseEndpoint: { endpointId: await webId(), nodeId: nodeId(1) },
  detachEndpoint: { endpoint: 'blue/web', force: true },
  getEndpoint: { endpoint: 'blue/web' },
  waitEndpoint: { endpoint: 'blue/web' },
  reserveAddress: { network: 'blue', address: '10.66.0.9', purpose: 'printer' },
  releaseAddress: { network: 'blue', address: '10.66.0.7' },
  showSubnets: { network: 'blue' },
  getNode: { node: 'h1' },
};

const anyAttempts: fc.Arbitrary<readonly Attempt[]> = fc
  .tuple(...[...methods.values()].map(anyAttempt))
  .chain((attempts) => fc.shuffledSubarray(attempts, { minLength: attempts.length }));

function anyAttempt({ name, type }: Method): fc.Arbitrary<Attempt> {
  const hasId = type.fields.some((field) => field.localName === 'requestId');
  const example = examples[name];
  const messages = [anyMessage(type, words), ...(example === undefined ? [] : [anyMessage(type, words, example)])];
  return fc
    .tuple(fc.oneof(...messages), fc.uuid({ version: 4 }), fc.integer({ min: 0, max: 9 }))
    .map(([message, id, chance]) => (hasId && chance > 0 ? { ...message, requestId: id } : message))
    .map((request): Attempt => ({ method: name, request }));
}

/** A cluster with objects of every kind. */
async function living(): Promise<{ cluster: MemoryCluster; running: RunningManager }> {
  const cluster = new MemoryCluster();
  const running = await cluster.startManager();
  const agent = new MemoryAgent(scriptNode(1));
  agent.appliesAtOnce = true;
  agent.hello();
  void running.manager.accept(agent);
  await cluster.settle();
  const make = async (method: string, fields: Message): Promise<void> => {
    await attempt(cluster, running, {
      method,
      request: methodNamed(method).type.create({ requestId: randomUuid(random), ...fields }),
    });
  };
  await make('createNetwork', { name: 'blue', subnets: [Subnet.create({ prefix: '10.66.0.0/24' })] });
  await make('createNetwork', { name: 'six', subnets: [Subnet.create({ prefix: 'fd66::/64' })] });
  await make('claimEndpoint', { network: 'blue', name: 'web', nodeId: nodeId(1) });
  await make('reserveAddress', { network: 'blue', address: '10.66.0.7', purpose: 'a printer' });
  return { cluster, running };
}

/** Id of the endpoint blue/web. It is the same in every such cluster, because the random numbers are the same. */
async function webId(): Promise<string> {
  const { cluster, running } = await living();
  const { endpoint } = await running.manager.api.endpoint.getEndpoint(
    { endpoint: 'blue/web', atLeast: 0n },
    cluster.call(),
  );
  await cluster.stop();
  return endpoint?.id ?? '';
}

/** Throws what the manager throws. */
async function attempt(
  cluster: MemoryCluster,
  running: RunningManager,
  { method: name, request }: Attempt,
): Promise<void> {
  const method = methodNamed(name);
  if (!method.isStream) {
    await cluster.answer(method.serve(running, request, cluster.call(seconds(1))) as Promise<unknown>);
    return;
  }
  const reads = new AbortController();
  const read = async (): Promise<void> => {
    for await (const _ of method.serve(
      running,
      request,
      callContext({ signal: reads.signal }),
    ) as AsyncIterable<unknown>)
      break;
  };
  const answered = cluster.answer(read());
  reads.abort();
  await answered;
}

/** Claims and records, without cooling claims, which end by themselves, and without records that change with time. */
async function content({ store }: RunningManager): Promise<ReadonlyMap<string, string>> {
  const kvs = await under(store, defaultPrefix);
  const texts = kvs.map(({ key, value }) => [key, new TextDecoder().decode(value)] as const);
  const isOwn = ([key, text]: readonly [string, string]): boolean =>
    !text.includes('"cooling"') && !/\/(led-time|event-mark|leader|manager)/.test(key);
  return new Map(texts.filter(isOwn));
}

// If an example were refused, the calls made from it would be refused, too, and would prove little.
test.each(Object.entries(examples))('%s does what the example asks', async (method, fields) => {
  const { cluster, running } = await living();
  const request = methodNamed(method).type.create({ requestId: randomUuid(random), ...fields });
  await attempt(cluster, running, { method, request });
  await cluster.stop();
});

test('no request, however malformed, crashes a manager, is refused without a reason, or leaves a claim', async () => {
  await fc.assert(
    fc.asyncProperty(anyAttempts, async (attempts) => {
      const { cluster, running } = await living();
      for (const each of attempts) {
        await cluster.clock.advance(seconds(1));
        const before = await content(running);
        const refused = await attempt(cluster, running, each).then(
          () => undefined,
          (error: unknown) => error,
        );
        if (refused !== undefined) {
          expect(refused).toBeInstanceOf(CausewayError);
          const { kind, message, data } = refused as CausewayError;
          expect(kind, message).not.toBe('internal');
          if (kind === 'invalid') expect(data['field'], message).toEqual(expect.stringMatching(/./));
          expect(message.length).toBeLessThan(1_000);
          expect(await content(running)).toEqual(before);
        }
        await cluster.clock.advance(milliseconds(100));
        const faults = await running.manager.api.ipam.checkClaims({ repair: false }, cluster.call());
        expect(faults).toEqual({ duplicates: [], orphans: [], missing: [] });
      }
      await cluster.stop();
    }),
    { numRuns: runs },
  );
}, 120_000);

test('no message of an agent, however malformed, ends more than its own session', async () => {
  const type = ConnectRequest as unknown as MessageType;
  await fc.assert(
    fc.asyncProperty(fc.array(anyMessage(type, words), { maxLength: 6 }), fc.boolean(), async (messages, greets) => {
      const { cluster, running } = await living();
      const before = await content(running);
      const agent = new MemoryAgent(scriptNode(2));
      if (greets) agent.hello();
      for (const message of messages) agent.say(message['message'] as ConnectRequest['message']);
      const ends = running.manager.accept(agent);
      await cluster.clock.advance(seconds(1));
      agent.requests.end();
      await cluster.answer(ends);
      expect(agent.closed?.error?.kind).not.toBe('internal');
      const after = await content(running);
      for (const key of before.keys()) expect(after.has(key), key).toBe(true);
      const { nodes } = await running.manager.api.node.listNodes(ListNodesRequest.create(), cluster.call());
      expect(nodes.find(({ id }) => id === (nodeId(1) as NodeId))?.ready).toBe(true);
      await cluster.stop();
    }),
    { numRuns: runs },
  );
}, 120_000);
