import { SessionServiceClient } from '@causeway/proto/gen/causeway/v1/session_service.grpc-client.js';
import { ScriptedAgent, ScriptedSession } from '@causeway/proto/testing/agent';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { channelOptions } from './clients.ts';
import type { Servers } from './servers.ts';
import { numbers } from './work.ts';

/** A scripted agent with a session on a connection of its own. */
export class SessionAgent {
  readonly id: string;
  readonly #client: SessionServiceClient;
  readonly #agent: ScriptedAgent;
  #session: ScriptedSession | undefined;
  /** Called for each table or delta of a network, with the network's new revision. */
  onNetwork: (networkId: string, revision: bigint) => void = () => undefined;

  /** `credentials`: of the agent of that node. */
  constructor(address: string, credentials: ChannelCredentials, node: NodeSettings) {
    this.id = node.id;
    this.#agent = new ScriptedAgent(node);
    this.#client = new SessionServiceClient(address, credentials, channelOptions);
  }

  /** Resolves when the manager has sent everything. */
  start(): Promise<void> {
    const session = new ScriptedSession(this.#agent, this.#client);
    session.onNetwork = (id, revision) => this.onNetwork(id, revision);
    this.#session = session;
    return session.ready;
  }

  close(): void {
    this.#session?.close();
    this.#client.close();
  }
}

export interface NodeSettings {
  /** 16 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly dataPath: string;
  /** Address of this machine from which the host's agent connects: managers give hosts equal turns by their addresses. */
  readonly localAddress: string;
}

/** Settings of host number i. */
export function nodeSettings(i: number): NodeSettings {
  return {
    id: (i + 1).toString(16).padStart(16, '0'),
    name: `n${i}`,
    dataPath: `10.200.${i >> 8}.${i & 255}`,
    localAddress: `127.200.${i >> 8}.${i & 255}`,
  };
}

/** Registers the first `count` hosts, each by a session that ends at once. */
export async function registerHosts({ address, members }: Servers, count: number): Promise<void> {
  const sessions = numbers(count).map((i) => {
    const node = nodeSettings(i);
    return new SessionAgent(address, members.client('agent', node.id), node);
  });
  for (const session of sessions) await session.start();
  for (const session of sessions) session.close();
}
