import { setTimeout as sleep } from 'node:timers/promises';
import { SessionServiceClient } from '@causeway/proto/gen/causeway/v1/session_service.grpc-client.js';
import { ScriptedAgent, ScriptedSession } from '@causeway/proto/testing/agent';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { channelOptions } from './managers.ts';

/** Pause between two tries to reach a manager, ms. */
const pause = 100;

export interface HostSettings {
  readonly id: string;
  readonly name: string;
  readonly dataPath: string;
  readonly managers: readonly string[];
  /** The credentials of the host's agent. */
  readonly credentials: ChannelCredentials;
}

/** A host without kernel: its scripted agent has a session with the leader, and begins a new one when that ends. */
export class Host {
  readonly id: string;
  readonly #managers: readonly string[];
  readonly #agent: ScriptedAgent;
  readonly #clients: ReadonlyMap<string, SessionServiceClient>;

  constructor({ managers, credentials, ...node }: HostSettings) {
    this.id = node.id;
    this.#managers = managers;
    this.#agent = new ScriptedAgent(node);
    this.#clients = new Map(
      managers.map((address) => {
        return [address, new SessionServiceClient(address, credentials, channelOptions)] as const;
      }),
    );
  }

  /** Resolves with the first session: the host is registered then. */
  start(): Promise<void> {
    return new Promise((registered) => void this.#run(registered));
  }

  async #run(registered: () => void): Promise<never> {
    let leader: string | undefined;
    for (let turn = 0; ; turn++) {
      const address = leader ?? this.#managers[turn % this.#managers.length] ?? '';
      leader = await this.#session(address, registered).catch(() => undefined);
      await sleep(pause);
    }
  }

  /** Resolves when the session ends, to the leader's address if the manager named one. */
  async #session(address: string, registered: () => void): Promise<string | undefined> {
    const client = this.#clients.get(address);
    if (client === undefined) return undefined;
    const session = new ScriptedSession(this.#agent, client);
    session.ready.then(registered, () => undefined);
    try {
      return await session.ended;
    } finally {
      session.close();
    }
  }
}
