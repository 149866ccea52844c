import type { SessionServiceClient } from '#gen/causeway/v1/session_service.grpc-client.js';
import type { ConnectResponse } from '#gen/causeway/v1/session_service.js';
import type { Said, ScriptedAgent } from './scripted-agent.ts';

/** Milliseconds between reports, as in an agent. */
const reportEvery = 20;

/** A scripted agent's session with one manager, over gRPC. It confirms everything. */
export class ScriptedSession {
  readonly #agent: ScriptedAgent;
  readonly #stream: ReturnType<SessionServiceClient['connect']>;
  #heartbeat: NodeJS.Timeout | undefined;
  #report: NodeJS.Timeout | undefined;
  /** Called for each table or delta of a network, with the network's new revision. */
  onNetwork: (networkId: string, revision: bigint) => void = () => undefined;
  /**
   * Settles when the session ends: resolves to the leader's address in Goodbye, if there is one; rejects if the
   * connection broke.
   */
  readonly ended: Promise<string | undefined>;
  /** Resolves when the manager has sent everything. Rejects if the session ends before. */
  readonly ready: Promise<void>;

  constructor(agent: ScriptedAgent, client: SessionServiceClient) {
    this.#agent = agent;
    this.#stream = client.connect();
    let leader: string | undefined;
    let isReady: () => void = () => undefined;
    const ready = new Promise<void>((resolve) => {
      isReady = resolve;
    });
    this.ended = new Promise((resolve, reject) => {
      this.#stream.on('error', reject);
      this.#stream.on('end', () => resolve(leader));
      this.#stream.on('data', ({ message }: ConnectResponse) => {
        if (message.oneofKind === 'ready') isReady();
        else if (message.oneofKind === 'goodbye') {
          leader = message.goodbye.leaderAddress || undefined;
          resolve(leader);
        } else this.#take(message);
      });
    });
    const over = this.ended.then(() => Promise.reject(new Error('the manager ended the session before it was ready')));
    this.ready = Promise.race([ready, over]);
    // A caller that uses neither promise does not care how the session ends.
    for (const promise of [over, this.ready]) promise.catch(() => undefined);
    this.#send(agent.hello());
  }

  close(): void {
    clearInterval(this.#heartbeat);
    clearTimeout(this.#report);
    this.#stream.cancel();
  }

  #take(message: ConnectResponse['message']): void {
    const changed = this.#agent.take(message);
    if (changed !== undefined) this.onNetwork(changed.networkId, changed.revision);
    if (message.oneofKind === 'welcome') {
      this.#heartbeat = setInterval(() => this.#send(this.#agent.report()), message.welcome.heartbeatMs);
    }
    this.#report ??= setTimeout(() => {
      this.#report = undefined;
      const applied = this.#agent.applied();
      if (applied !== undefined) this.#send(applied);
    }, reportEvery);
  }

  #send(message: Said): void {
    if (this.#stream.writable) this.#stream.write({ message });
  }
}
