import type { CausewayError, FeedVersion, Node } from '@causeway/model';
import { Goodbye, type HostState } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { AgentChannel } from './channel.ts';
import { encodeGoodbye, encodeHostState } from './encode.ts';
import type { Tables } from './steps.ts';
import { backlogLimit, type SubscriptionEvent, Subscriptions } from './subscriptions.ts';

export type SessionState =
  /** No Hello has arrived yet. */
  | { readonly kind: 'connected' }
  /** The Hello has arrived, and is being checked. */
  | { readonly kind: 'introduced' }
  | { readonly kind: 'admitted'; readonly node: Node; readonly subscriptions: Subscriptions }
  | { readonly kind: 'closed'; readonly node: Node | undefined };

/** The connection of one agent, with what was sent to the agent. */
export class Session {
  readonly #channel: AgentChannel;
  #state: SessionState = { kind: 'connected' };
  /** What the agent knows about its host. After Welcome it knows nothing. */
  #hostState: HostState = { drained: false };
  /** When the agent last sent a message, ms on the monotonic clock. */
  lastHeard: number;

  constructor(channel: AgentChannel, now: number) {
    this.#channel = channel;
    this.lastHeard = now;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The host whose session this is or was; undefined before the session is admitted. */
  get node(): Node | undefined {
    return 'node' in this.#state ? this.#state.node : undefined;
  }

  get isReady(): boolean {
    return this.#state.kind === 'admitted' && this.#state.subscriptions.isReady;
  }

  /** The agent is owed something that waits for room in the connection. */
  get isBehind(): boolean {
    return this.#state.kind === 'admitted' && this.#state.subscriptions.isBehind;
  }

  /** Whether the connection takes more. */
  get hasRoom(): boolean {
    return this.#channel.backlog < backlogLimit;
  }

  /** connected -> introduced; false: the session was introduced before */
  introduce(): boolean {
    if (this.#state.kind !== 'connected') return false;
    this.#state = { kind: 'introduced' };
    return true;
  }

  /** introduced -> admitted */
  admit(node: Node, tables: Tables, revision: () => bigint, feed: FeedVersion): void {
    if (this.#state.kind === 'introduced')
      this.#state = { kind: 'admitted', node, subscriptions: new Subscriptions(tables, revision, feed) };
  }

  step(event: SubscriptionEvent): void {
    if (this.#state.kind !== 'admitted') return;
    for (const bytes of this.#state.subscriptions.step(event, this.#channel.backlog)) this.#channel.send(bytes);
  }

  send(bytes: Uint8Array): void {
    if (this.#state.kind !== 'closed') this.#channel.send(bytes);
  }

  /** Tells the agent what the managers have decided about its host, if the agent does not know it yet. */
  tellState(hostState: HostState): void {
    if (this.#state.kind !== 'admitted' || hostState.drained === this.#hostState.drained) return;
    this.#hostState = hostState;
    this.send(encodeHostState(hostState));
  }

  /** Ends the session with a goodbye, which is no failure: the agent should go elsewhere. */
  dismiss(goodbye: Partial<Goodbye>): void {
    this.send(encodeGoodbye(Goodbye.create(goodbye)));
    this.close();
  }

  /** any -> closed */
  close(error?: CausewayError): void {
    if (this.#state.kind === 'closed') return;
    this.#state = { kind: 'closed', node: this.node };
    this.#channel.close(error);
  }
}
