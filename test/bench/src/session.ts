import { SessionServiceClient } from '@causeway/proto/gen/causeway/v1/session_service.grpc-client.js';
import {
  AppliedReport,
  type ConnectRequest,
  type ConnectResponse,
  Hello,
  HostReport,
} from '@causeway/proto/gen/causeway/v1/session_service.js';
import { Node } from '@causeway/proto/gen/causeway/v1/types.js';
import { plaintext } from '@causeway/proto/io';
import { channelOptions } from './clients.ts';
import { numbers } from './work.ts';

/** As an agent batches its reports, milliseconds. */
const reportEvery = 20;
const underlayMtu = 1500;

export interface NodeSettings {
  /** 16 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly dataPath: string;
}

/**
 * An agent as a manager sees it: a session on a connection of its own, that says it has applied whatever it is told.
 * It has no kernel and keeps no table.
 */
export class SessionAgent {
  readonly node: NodeSettings;
  readonly #client: SessionServiceClient;
  readonly #stream: ReturnType<SessionServiceClient['connect']>;
  readonly #applied = new Map<string, bigint>();
  #heartbeat: NodeJS.Timeout | undefined;
  #report: NodeJS.Timeout | undefined;
  /** Hears of each table or step of a network, with the revision it leads to. */
  onNetwork: (networkId: string, revision: bigint) => void = () => undefined;

  constructor(address: string, node: NodeSettings) {
    this.node = node;
    this.#client = new SessionServiceClient(address, plaintext.client(), channelOptions);
    this.#stream = this.#client.connect();
  }

  /** Resolves when the manager has sent all there was. */
  start(): Promise<void> {
    const node = Node.create({ ...this.node, underlayMtu, version: '0.1.0' });
    this.#send({ message: { oneofKind: 'hello', hello: Hello.create({ node }) } });
    return new Promise((resolve, reject) => {
      this.#stream.on('error', reject);
      this.#stream.on('data', (response: ConnectResponse) => {
        if (response.message.oneofKind === 'ready') resolve();
        else if (response.message.oneofKind === 'goodbye') reject(new Error(response.message.goodbye.reason));
        else this.#take(response);
      });
    });
  }

  close(): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#report);
    this.#stream.cancel();
    this.#client.close();
  }

  #take({ message }: ConnectResponse): void {
    switch (message.oneofKind) {
      case 'welcome':
        this.#heartbeat = setInterval(() => this.#beat(), message.welcome.heartbeatMs);
        break;
      case 'complete':
        this.#apply(message.complete.network?.id ?? '', message.complete.revision);
        break;
      case 'delta':
        this.#apply(message.delta.networkId, message.delta.to);
        break;
      default: // Withdrawals and verifications do not come up.
    }
  }

  #apply(networkId: string, revision: bigint): void {
    this.onNetwork(networkId, revision);
    this.#applied.set(networkId, revision);
    this.#report ??= setTimeout(() => {
      this.#report = undefined;
      const networks = Array.from(this.#applied, ([id, reached]) => ({ networkId: id, revision: reached }));
      this.#applied.clear();
      this.#send({ message: { oneofKind: 'applied', applied: AppliedReport.create({ networks }) } });
    }, reportEvery);
  }

  #beat(): void {
    this.#send({ message: { oneofKind: 'report', report: HostReport.create({ underlayMtu }) } });
  }

  #send(request: ConnectRequest): void {
    if (this.#stream.writable) this.#stream.write(request);
  }
}

/** The i-th of many hosts. */
export function nodeSettings(i: number): NodeSettings {
  return {
    id: (i + 1).toString(16).padStart(16, '0'),
    name: `n${i}`,
    dataPath: `10.200.${i >> 8}.${i & 255}`,
  };
}

/** Makes the first so many hosts known, each by a session that ends at once. */
export async function registerHosts(address: string, count: number): Promise<void> {
  const sessions = numbers(count).map((i) => new SessionAgent(address, nodeSettings(i)));
  for (const session of sessions) await session.start();
  for (const session of sessions) session.close();
}
