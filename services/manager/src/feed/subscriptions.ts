import { assertNever, type FeedVersion, type NetworkId } from '@causeway/model';
import type { NetworkCursor } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { DeltaBytes } from './delta-bytes.ts';
import { encodeReady, encodeWithdraw } from './encode.ts';
import type { Tables } from './steps.ts';

/**
 * Most bytes that may wait in an agent's connection. Above this limit deltas are dropped, and the agent is owed the whole
 * network: a slow agent costs a bounded amount of memory, and later gets the newest state instead of a backlog. There is
 * room for a Complete of 10,000 rows.
 */
export const backlogLimit = 1024 * 1024;

export type SubscriptionEvent =
  /**
   * The agent said what it holds. `continues` is false if its cursors are not of this cluster: the agent then gets all
   * networks whole.
   */
  | {
      readonly kind: 'hello';
      readonly cursors: readonly NetworkCursor[];
      readonly subscribed: Iterable<NetworkId>;
      readonly continues: boolean;
    }
  | { readonly kind: 'delta'; readonly network: NetworkId; readonly delta: DeltaBytes }
  /** The host got its first endpoint of the network, or the network began anew. */
  | { readonly kind: 'subscribed'; readonly network: NetworkId }
  | { readonly kind: 'unsubscribed'; readonly network: NetworkId }
  | { readonly kind: 'resync'; readonly network: NetworkId }
  /** The connection may have room again. */
  | { readonly kind: 'room' };

/**
 * What was sent to one agent. For each network that the agent is subscribed to, the agent either holds the table's revision
 * (when everything in its connection has arrived) or is owed the whole network:
 *
 *     ── hello, subscribed, resync, delta without room ──▶ owed ── room ──▶ Complete sent, holds
 *     holds ── delta with room ──▶ holds            holds, owed ── unsubscribed ──▶ Withdraw sent, neither
 *
 * The phase is `syncing` until nothing is owed for the first time. Then Ready is sent, and the phase stays `ready`.
 */
export class Subscriptions {
  readonly #tables: Tables;
  /** The feed version that both sides speak. */
  readonly #feed: FeedVersion;
  /** The view's revision, for Ready. */
  readonly #revision: () => bigint;
  readonly #owed = new Set<NetworkId>();
  readonly #subscribed = new Set<NetworkId>();
  #phase: 'syncing' | 'ready' = 'syncing';

  constructor(tables: Tables, revision: () => bigint, feed: FeedVersion) {
    this.#tables = tables;
    this.#feed = feed;
    this.#revision = revision;
  }

  get isReady(): boolean {
    return this.#phase === 'ready';
  }

  /** The agent is owed something that waits for room. */
  get isBehind(): boolean {
    return this.#owed.size > 0;
  }

  /** Takes the event and returns what to send now, given the bytes that already wait in the connection. */
  step(event: SubscriptionEvent, backlog: number): readonly Uint8Array[] {
    const out = new Outbox(backlogLimit - backlog);
    switch (event.kind) {
      case 'hello':
        this.#hello(event.cursors, event.subscribed, event.continues, out);
        break;
      case 'delta':
        if (
          this.#subscribed.has(event.network) &&
          !this.#owed.has(event.network) &&
          !out.offer(event.delta.of(this.#feed))
        )
          this.#owed.add(event.network);
        break;
      case 'subscribed':
        this.#subscribed.add(event.network);
        this.#owed.add(event.network);
        break;
      case 'unsubscribed':
        this.#owed.delete(event.network);
        if (this.#subscribed.delete(event.network)) out.add(encodeWithdraw(event.network));
        break;
      case 'resync':
        if (this.#subscribed.has(event.network)) this.#owed.add(event.network);
        break;
      case 'room':
        break;
      default:
        assertNever(event);
    }
    this.#payOff(out);
    return out.messages;
  }

  #hello(cursors: readonly NetworkCursor[], subscribed: Iterable<NetworkId>, continues: boolean, out: Outbox): void {
    for (const network of subscribed) this.#subscribed.add(network);
    const held = new Map(cursors.map((cursor) => [cursor.networkId, cursor]));
    for (const network of held.keys())
      if (!this.#subscribed.has(network as NetworkId)) out.add(encodeWithdraw(network));
    for (const network of this.#subscribed) {
      const cursor = continues ? held.get(network) : undefined;
      const missed = cursor && this.#tables.get(network)?.since(cursor, this.#feed);
      if (missed === undefined || !out.offer(...missed.map((delta) => delta.of(this.#feed)))) this.#owed.add(network);
    }
  }

  #payOff(out: Outbox): void {
    for (const network of this.#owed) {
      const complete = this.#tables.get(network)?.complete(this.#feed);
      // A whole table is sent when there is any room at all: otherwise a table larger than the limit would never be sent.
      if (complete !== undefined && !out.hasRoom) return;
      this.#owed.delete(network);
      if (complete !== undefined) out.add(complete);
    }
    if (this.#phase === 'ready') return;
    this.#phase = 'ready';
    out.add(encodeReady(this.#revision()));
  }
}

class Outbox {
  readonly messages: Uint8Array[] = [];
  #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  get hasRoom(): boolean {
    return this.#room > 0;
  }

  add(bytes: Uint8Array): void {
    this.messages.push(bytes);
    this.#room -= bytes.length;
  }

  /** Adds all messages or none. */
  offer(...messages: readonly Uint8Array[]): boolean {
    const size = messages.reduce((sum, bytes) => sum + bytes.length, 0);
    if (size > this.#room) return false;
    for (const bytes of messages) this.add(bytes);
    return true;
  }
}
