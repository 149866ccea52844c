import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createAgent, type ManagerLink } from '@causeway/agent';
import { MemoryFiles, memberCluster, memoryEncryption } from '@causeway/agent/testing';
import { FakeKernel } from '@causeway/datapath/testing';
import { CausewayError, Ip, type Name, type NodeId } from '@causeway/model';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { UpdateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import {
  Complete,
  ConnectRequest,
  ConnectResponse,
  type NetworkCursor,
} from '@causeway/proto/gen/causeway/v1/session_service.js';
import { Queue, randomUuid, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { FormerAgent } from '../former/former-agent.ts';
import { SimCluster } from '../src/cluster.ts';
import { type RecordedMessage, type Recording, record, snapshotOf } from '../src/recording.ts';

// `CAUSEWAY_RECORD=test/simulator/former/feed-N.json npm test -- --project unit test/simulator/scenarios/former.test.ts`
// records this version. Do this before the next feed version is made. Never repeat a recording: it contains what that
// version really sent and wrote.
const directory = new URL('../former/', import.meta.url);
const recordings = readdirSync(directory)
  .filter((name) => name.endsWith('.json'))
  .map((name): [string, Recording] => [name, JSON.parse(readFileSync(new URL(name, directory), 'utf8')) as Recording]);

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const spoken = (session: readonly RecordedMessage[], way: 'up' | 'down'): Uint8Array[] =>
  session.filter((message) => message.way === way).map(({ hex }) => bytesOf(hex));
const responses = (session: readonly RecordedMessage[]): ConnectResponse['message'][] =>
  spoken(session, 'down').map((bytes) => ConnectResponse.fromBinary(bytes).message);

const { CAUSEWAY_RECORD: recordTo } = process.env;
if (recordTo !== undefined) {
  it('records this version', async () => {
    writeFileSync(recordTo, `${JSON.stringify(await record(), null, 1)}\n`);
  });
}

/** The host that sent the first Hello. */
function nodeOf(messages: readonly RecordedMessage[]): NodeId {
  const { message } = ConnectRequest.fromBinary(spoken(messages, 'up')[0] ?? new Uint8Array());
  return (message.oneofKind === 'hello' ? message.hello.node?.id : undefined) as NodeId;
}

it('a recording of this version has every kind of message that carries a table', async () => {
  const { sessions } = await record();
  const kinds = new Set(sessions.flatMap(responses).map(({ oneofKind }) => oneofKind));
  expect(kinds).toEqual(new Set(['welcome', 'complete', 'delta', 'withdraw', 'ready', 'goodbye']));
});

describe.each(recordings)('an agent as in %s and managers of this version', (_, { sessions, store }) => {
  const last = sessions.at(-1) ?? [];
  const hello = spoken(last, 'up')[0] ?? new Uint8Array();
  const nodeId = nodeOf(last);

  /** One manager on the recorded store, and a host of this version (h3). h1 and h2 are hosts of the recording. */
  async function cluster(): Promise<SimCluster> {
    const made = new SimCluster({ hosts: 3, seed: 7, store: snapshotOf(store) });
    await made.start(made.hosts.slice(2));
    return made;
  }

  it('go on from its cursors: only what it has missed is sent, with the digest that its own managers gave', async () => {
    const made = await cluster();
    const agent = new FormerAgent(hello);
    for (const session of sessions.slice(0, -1)) agent.remember(responses(session));
    const followed = agent.connect(made.connections.link('h1', nodeId).connect('m1:7443'));
    await made.advance(seconds(1));
    expect(agent.received).toEqual(['welcome', 'delta', 'complete', 'ready']);
    const green = [...agent.tables.values()].find(({ network }) => network.name === 'green');
    const delta = responses(last).find(({ oneofKind }) => oneofKind === 'delta');
    expect(delta).toMatchObject({ delta: { digest: green?.digest } });
    agent.close();
    await followed;
    await made.stop();
  });

  it('work together: rows, a network that changes, a network with fields that its digest does not know', async () => {
    const made = await cluster();
    const agent = new FormerAgent(hello);
    const followed = agent.connect(made.connections.link('h1', nodeId).connect('m1:7443'));
    await made.advance(seconds(1));
    const host = made.host('h3');
    for (const network of ['blue', 'green']) {
      for (const n of [1, 2]) await made.run(host.attach(network, `new-${network}-${n}`));
    }
    const gone = await made.run(host.attach('green', 'new-3'));
    await made.run(host.detach(gone.id));
    const change = UpdateNetworkRequest.create({ requestId: randomUuid(made.random), network: 'green', mtu: 1300 });
    await made.ask((api, call) => api.network.updateNetwork(change, call));
    await made.advance(seconds(1));

    expect(agent.received.filter((kind) => kind === 'resync')).toEqual([]);
    expect(agent.received.filter((kind) => kind === 'complete')).toHaveLength(2);
    const { endpoints } = await made.ask((api, call) =>
      api.endpoint.listEndpoints(ListEndpointsRequest.create(), call),
    );
    const held = [...agent.tables.values()].flatMap(({ network, rows }) =>
      Array.from(rows.values(), ({ name }) => `${network.name} ${name}`),
    );
    const expected = endpoints.map(({ network, name }) => `${network} ${name}`);
    expect(held.sort()).toEqual(expected.sort());
    expect([...agent.tables.values()].map(({ network }) => network.mtu).sort()).toEqual([1300, 1400]);

    const before = agent.received.length;
    agent.close();
    await followed;
    await made.stopManager('m1');
    await made.startManager('m1');
    await made.until('the manager leads again', () => made.leaders.length === 1);
    const again = agent.connect(made.connections.link('h1', nodeId).connect('m1:7443'));
    await made.advance(seconds(1));
    expect(agent.received.slice(before)).toEqual(['welcome', 'delta', 'delta', 'ready']);
    agent.close();
    await again;
    await made.stop();
  });
});

describe.each(recordings)('managers as in %s and an agent of this version', (_, { sessions, ledgers }) => {
  /** An agent whose only manager sends what was recorded, session by session, and then hangs. */
  async function follow(files: MemoryFiles, played: readonly (readonly RecordedMessage[])[]) {
    const clock = new FakeClock();
    const log = new MemoryLog();
    const kernel = new FakeKernel({ clock }, { underlay: Ip('10.90.0.1') });
    const sent: ConnectRequest['message'][] = [];
    const refuse = async (): Promise<never> => {
      throw new CausewayError('manager-unavailable', 'only sessions were recorded');
    };
    let begun = 0;
    const link: ManagerLink = {
      reaches: async () => false,
      connect: () => {
        const messages = new Queue<ConnectResponse>();
        for (const bytes of spoken(played[begun++] ?? [], 'down')) messages.push(ConnectResponse.fromBinary(bytes));
        const send = (request: ConnectRequest): unknown =>
          sent.push(ConnectRequest.fromBinary(ConnectRequest.toBinary(request)).message);
        return { messages, send, close: () => messages.end() };
      },
      claimEndpoint: refuse,
      claimEndpoints: refuse,
      releaseEndpoint: refuse,
      detachEndpoint: refuse,
      close: () => undefined,
    };
    const settings = {
      nodeId: nodeOf(sessions.flat()),
      cluster: memberCluster,
      name: 'h1' as Name,
      managers: ['m1:7443'],
      dataPath: Ip('10.90.0.1'),
      vxlanPort: 4789,
    };
    const encryption = memoryEncryption(clock, settings.nodeId);
    const agent = createAgent(
      { kernel, link, files, clock, random: new SeededRandom(1), log, encryption },
      { ...settings, version: 'test' },
    );
    await agent.start();
    await clock.advance(seconds(2));
    await clock.until(agent.stop(), seconds(60));
    return { sent, events: log.lines.map(({ event }) => event) };
  }

  const filesOf = (ledger: Readonly<Record<string, string>> = {}): MemoryFiles => {
    const files = new MemoryFiles();
    for (const [name, hex] of Object.entries(ledger)) files.contents.set(name, bytesOf(hex));
    return files;
  };

  /** The content of the ledger, by network. In a file, the payload follows the header line. */
  const tablesIn = (files: MemoryFiles): Record<string, object> =>
    Object.fromEntries(
      [...files.contents]
        .filter(([name]) => name.startsWith('network-'))
        .map(([name, bytes]) => {
          const { revision, digest, endpoints } = Complete.fromBinary(bytes.subarray(bytes.indexOf(0x0a) + 1));
          return [name, { revision, digest, endpoints: [...endpoints].sort((a, b) => (a.id < b.id ? -1 : 1)) }];
        }),
    );

  it('work together from an empty disk: every delta fits, and the tables are those of the agent of then', async () => {
    const files = new MemoryFiles();
    const { sent, events } = await follow(files, sessions.slice(0, 1));
    expect(sent.map(({ oneofKind }) => oneofKind)).not.toContain('resync');
    expect(events).toContain('session.started');
    expect(events).not.toContain('table.resync');
    expect(tablesIn(files)).toEqual(tablesIn(filesOf(ledgers[0])));
  });

  it('read what the agent of then wrote, name it to the manager as it did, and go on from there', async () => {
    const files = filesOf(ledgers[0]);
    const { sent, events } = await follow(files, sessions.slice(1));
    const [hello] = sent;
    const former = ConnectRequest.fromBinary(spoken(sessions[1] ?? [], 'up')[0] ?? new Uint8Array()).message;
    if (hello?.oneofKind !== 'hello' || former.oneofKind !== 'hello') throw new Error('no Hello');
    const plain = ({ networkId, revision, digest }: NetworkCursor): string => `${networkId} ${revision} ${digest}`;
    expect(hello.hello.cursors.map(plain)).toEqual(former.hello.cursors.map(plain));
    expect(hello.hello.node?.id).toBe(former.hello.node?.id);
    expect(sent.map(({ oneofKind }) => oneofKind)).not.toContain('resync');
    expect(events.filter((event) => event.startsWith('ledger.') || event === 'table.resync')).toEqual([]);
    expect(tablesIn(files)).toEqual(tablesIn(filesOf(ledgers[1])));
  });
});
