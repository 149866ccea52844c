import type { CausewayError, FeedVersion, Node } from '@causeway/model';
import { Goodbye } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { AgentChannel } from './channel.ts';
import { encodeGoodbye } from './encode.ts';
import type { Tables } from './steps.ts';
import { type SubscriptionEvent, Subscriptions } from './subscriptions.ts';

export type SessionState =
  /** No Hello has come yet. */
  | { readonly kind: 'connected' }
  /** Its Hello has come, and is looked at. */
  | { readonly kind: 'introduced' }
  | { readonly kind: 'admitted'; readonly node: Node; readonly subscriptions: Subscriptions }
  | { readonly kind: 'closed'; readonly node: Node | undefined };

/** One agent's connection, with what the agent has been sent. */
export class Session {
  readonly #channel: AgentChannel;
  #state: SessionState = { kind: 'connected' };
  /** On the monotonic clock. */
  lastHeard: number;

  constructor(channel: AgentChannel, now: number) {
    this.#channel = channel;
    this.lastHeard = now;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Whose session it is or was; undefined before it is admitted. */
  get node(): Node | undefined {
    return 'node' in this.#state ? this.#state.node : undefined;
  }

  get isReady(): boolean {
    return this.#state.kind === 'admitted' && this.#state.subscriptions.isReady;
  }

  /** Something is owed that waits for room in the connection. */
  get isBehind(): boolean {
    return this.#state.kind === 'admitted' && this.#state.subscriptions.isBehind;
  }

  /** connected -> introduced; false: it was before */
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

  /** The agent should go elsewhere, without it being a failure. */
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
