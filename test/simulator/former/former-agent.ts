import type { SessionChannel } from '@causeway/agent';
import {
  ConnectRequest,
  type ConnectResponse,
  type EndpointRow,
  type Hello,
} from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Network } from '@causeway/proto/gen/causeway/v1/types.js';

/*
 * An agent from before feed versions, as a manager sees it. Its checks are written here a second time, from the messages
 * alone, and share no code with the product. This file must never change.
 */
interface FormerTable {
  network: Network;
  revision: bigint;
  digest: bigint;
  readonly rows: Map<string, EndpointRow>;
}

export class FormerAgent {
  readonly tables = new Map<string, FormerTable>();
  /** One word per message. */
  readonly received: string[] = [];
  readonly #hello: Hello;
  #channel: SessionChannel | undefined;

  /** `hello`: the bytes of a recorded Hello. Its cursors are replaced by those of the tables that this agent holds. */
  constructor(hello: Uint8Array) {
    const { message } = ConnectRequest.fromBinary(hello);
    if (message.oneofKind !== 'hello') throw new TypeError('not a Hello');
    this.#hello = message.hello;
    if (message.hello.feedVersions.length > 0) throw new TypeError('a former agent names no feed versions');
  }

  /** Applies the managers' messages of an earlier session, without answering. */
  remember(messages: readonly ConnectResponse['message'][]): void {
    for (const message of messages) this.#take(message, () => undefined);
    this.received.length = 0;
  }

  /**
   * Begins with a Hello that names its tables. Resolves when the session ends; throws where a former agent left a
   * session.
   */
  async connect(channel: SessionChannel): Promise<void> {
    this.#channel = channel;
    const cursors = Array.from(this.tables, ([networkId, { revision, digest }]) => {
      return { networkId, revision, digest, feedVersion: 0 };
    });
    channel.send({ message: { oneofKind: 'hello', hello: { ...this.#hello, cursors } } });
    await this.#follow(channel);
  }

  close(): void {
    this.#channel?.close();
  }

  async #follow(channel: SessionChannel): Promise<void> {
    for await (const { message } of channel.messages) this.#take(message, (request) => channel.send(request));
  }

  #take(message: ConnectResponse['message'], send: SessionChannel['send']): void {
    this.received.push(message.oneofKind ?? 'unknown');
    if (message.oneofKind === 'complete') {
      const { network, revision, digest, endpoints } = message.complete;
      if (network === undefined) throw new Error('a table came without its network');
      const rows = new Map(endpoints.map((row) => [row.id, row]));
      if (sum(network, rows.values()) !== digest) throw new Error(`the rows of ${network.name} do not add up`);
      this.tables.set(network.id, { network, revision, digest, rows });
    } else if (message.oneofKind === 'delta') {
      if (this.#step(message.delta)) return;
      const { networkId } = message.delta;
      this.received.push('resync');
      send({ message: { oneofKind: 'resync', resync: { networkId } } });
    } else if (message.oneofKind === 'withdraw') this.tables.delete(message.withdraw.networkId);
  }

  #step(delta: Extract<ConnectResponse['message'], { oneofKind: 'delta' }>['delta']): boolean {
    const table = this.tables.get(delta.networkId);
    if (table === undefined || table.revision !== delta.from) return false;
    const rows = new Map(table.rows);
    for (const id of delta.removedEndpointIds) rows.delete(id);
    for (const row of delta.endpoints) rows.set(row.id, row);
    const network = delta.network ?? table.network;
    if (sum(network, rows.values()) !== delta.digest) return false;
    this.tables.set(delta.networkId, { network, revision: delta.to, digest: delta.digest, rows });
    return true;
  }
}

function sum({ id, name, vni, mtu, subnets }: Network, rows: Iterable<EndpointRow>): bigint {
  const ranges = subnets.map(({ prefix, gateway }) => `${prefix}@${gateway}`).join(',');
  let digest = hash([id, name, vni, mtu, ranges].join('|'));
  for (const row of rows) {
    digest += hash([row.id, row.name, row.nodeId, row.addresses.join(','), row.mac, row.vtep].join('|'));
  }
  return BigInt.asUintN(64, digest);
}

function hash(text: string): bigint {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (const unit of Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))) {
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x5f356495);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
  b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
  return (BigInt(b >>> 0) << 32n) | BigInt(a >>> 0);
}
