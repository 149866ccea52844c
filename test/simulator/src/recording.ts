import type { HistorySnapshot } from '@causeway/manager';
import { CreateNetworkRequest, UpdateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { milliseconds, randomUuid, seconds } from '@causeway/runtime';
import { SimCluster } from './cluster.ts';

export interface RecordedMessage {
  /** "up": sent by the agent; "down": sent by the manager. */
  readonly way: 'up' | 'down';
  readonly hex: string;
}

/** The messages and files of managers and agents of one version, with which later versions are tested. */
export interface Recording {
  /** Sessions of host h1, each from its Hello on. */
  readonly sessions: readonly (readonly RecordedMessage[])[];
  /** The data directory of h1's agent after each stop, hex by file name. */
  readonly ledgers: readonly Readonly<Record<string, string>>[];
  /** The cluster's store at the end. */
  readonly store: { readonly revision: string; readonly kvs: readonly RecordedKey[] };
}

interface RecordedKey {
  readonly key: string;
  readonly value: string;
  readonly createRevision: string;
  readonly modRevision: string;
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/**
 * A story in which a manager sends each kind of message: whole tables, deltas of rows and of a network, a Withdraw, changes
 * from history that an agent had missed, and an empty delta from a manager that took over.
 */
export async function record(): Promise<Recording> {
  const cluster = new SimCluster({ hosts: 2, managers: 2 });
  const sessions: RecordedMessage[][] = [];
  cluster.connections.tap = (host, way, bytes) => {
    if (host !== 'h1') return;
    if (way === 'up' && ConnectRequest.fromBinary(bytes).message.oneofKind === 'hello') sessions.push([]);
    sessions.at(-1)?.push({ way, hex: hex(bytes) });
  };
  const ledgers: Record<string, string>[] = [];
  const stopAgent = async (): Promise<void> => {
    await cluster.run(cluster.host('h1').stop());
    ledgers.push(
      Object.fromEntries(Array.from(cluster.host('h1').files.contents, ([name, bytes]) => [name, hex(bytes)])),
    );
  };
  const attach = (host: string, network: string, name: string): Promise<unknown> =>
    cluster.run(cluster.host(host).attach(network, name));

  await cluster.start();
  await cluster.createNetwork('blue', '10.66.0.0/16');
  await createInternal(cluster, 'green', '10.67.0.0/16', 'fd67::/64');
  await attach('h2', 'blue', 'web-2');
  await attach('h1', 'blue', 'web-1');
  await attach('h1', 'green', 'db-1');
  await attach('h2', 'green', 'db-2');
  await attach('h2', 'blue', 'web-3');
  await cluster.run(cluster.host('h2').detach('web-3'));
  await setMtu(cluster, 'blue', 1400);
  await attach('h1', 'green', 'db-3');
  await cluster.createNetwork('red', '10.68.0.0/16');
  await attach('h1', 'red', 'gone-1');
  await cluster.run(cluster.host('h1').detach('gone-1'));
  await cluster.advance(seconds(15));
  await stopAgent();
  await attach('h2', 'blue', 'web-4');
  await cluster.run(cluster.host('h1').start());
  await cluster.until('h1 has caught up', async () => (await cluster.readyHosts()) === 2);
  await cluster.advance(seconds(1));
  const [leader = ''] = cluster.leaders;
  await cluster.stopManager(leader);
  await cluster.until('the other leads', async () => (await cluster.readyHosts()) === 2);
  await attach('h2', 'green', 'db-4');
  await cluster.advance(seconds(15));
  await stopAgent();
  const store = storeOf(cluster.backup());
  await cluster.stop();
  return { sessions, ledgers, store };
}

function storeOf({ revision, kvs }: HistorySnapshot): Recording['store'] {
  const text = (value: Uint8Array): string => new TextDecoder().decode(value);
  return {
    revision: String(revision),
    kvs: kvs.map(({ key, value, createRevision, modRevision }) => ({
      key,
      value: text(value),
      createRevision: String(createRevision),
      modRevision: String(modRevision),
    })),
  };
}

/** The store as it was when no manager ran. */
export function snapshotOf({ revision, kvs }: Recording['store']): HistorySnapshot {
  const encoder = new TextEncoder();
  const isLeased = ({ key }: RecordedKey): boolean => /^\/causeway\/v1\/(leader$|manager\/)/.test(key);
  return {
    revision: BigInt(revision),
    kvs: kvs
      .filter((kv) => !isLeased(kv))
      .map(({ key, value, createRevision, modRevision }) => ({
        key,
        value: encoder.encode(value),
        createRevision: BigInt(createRevision),
        modRevision: BigInt(modRevision),
      })),
  };
}

async function createInternal(cluster: SimCluster, name: string, ...prefixes: string[]): Promise<void> {
  const request = CreateNetworkRequest.create({
    requestId: randomUuid(cluster.random),
    name,
    subnets: prefixes.map((prefix) => Subnet.create({ prefix })),
    internal: true,
    labels: { tier: 'data', team: 'café' },
  });
  await cluster.ask((api, call) => api.network.createNetwork(request, call));
}

async function setMtu(cluster: SimCluster, network: string, mtu: number): Promise<void> {
  const request = UpdateNetworkRequest.create({ requestId: randomUuid(cluster.random), network, mtu });
  await cluster.ask((api, call) => api.network.updateNetwork(request, call));
  await cluster.advance(milliseconds(100));
}
