import type { CausewayError, FeedVersion, Node } from '@causeway/model';
import { Goodbye } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { AgentChannel } from './channel.ts';
import { encodeGoodbye } from './encode.ts';
import { Session, type SessionEvent } from './session.ts';
import type { Tables } from './steps.ts';

export type SessionState =
  /** Connected; its first message is not there yet or is being worked on. */
  | { readonly kind: 'greeting' }
  | { readonly kind: 'admitted'; readonly node: Node; readonly session: Session }
  | { readonly kind: 'closed'; readonly node: Node | undefined };

/** One agent's connection with what it has been sent. */
export class LiveSession {
  readonly #channel: AgentChannel;
  #state: SessionState = { kind: 'greeting' };
  #greeted = false;
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
    return this.#state.kind === 'greeting' ? undefined : this.#state.node;
  }

  get isReady(): boolean {
    return this.#state.kind === 'admitted' && this.#state.session.isReady;
  }

  /** Something is owed that waits for room in the connection. */
  get isBehind(): boolean {
    return this.#state.kind === 'admitted' && this.#state.session.isBehind;
  }

  /** Hello has come. */
  get isGreeted(): boolean {
    return this.#greeted;
  }

  /** False for any but the first. */
  greet(): boolean {
    const first = !this.#greeted;
    this.#greeted = true;
    return first;
  }

  /** greeting -> admitted */
  admit(node: Node, tables: Tables, revision: () => bigint, feed: FeedVersion): void {
    if (this.#state.kind === 'greeting')
      this.#state = { kind: 'admitted', node, session: new Session(tables, revision, feed) };
  }

  /** The node's record changed. */
  renew(node: Node): void {
    if (this.#state.kind === 'admitted') this.#state = { ...this.#state, node };
  }

  step(event: SessionEvent): void {
    if (this.#state.kind !== 'admitted') return;
    for (const bytes of this.#state.session.step(event, this.#channel.backlog)) this.#channel.send(bytes);
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
