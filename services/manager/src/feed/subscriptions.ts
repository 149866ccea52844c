import { assertNever, type FeedVersion, type NetworkId } from '@causeway/model';
import type { NetworkCursor } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { DeltaBytes } from './delta-bytes.ts';
import { encodeReady, encodeWithdraw } from './encode.ts';
import type { Tables } from './steps.ts';

/**
 * Bytes that may wait in an agent's connection. Beyond it deltas are dropped and the network is owed whole: a slow agent
 * costs a bounded amount of memory and later gets the newest state, not a backlog. Room for a Complete of 10,000 rows.
 */
export const backlogLimit = 1024 * 1024;

export type SubscriptionEvent =
  /** The agent told what it holds. `continues` is false when its past is not this cluster's: then it gets all whole. */
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
  /** The connection may have taken some of what was sent. */
  | { readonly kind: 'room' };

/**
 * What one agent has been sent. For each network it is subscribed to it either holds the table's revision (once what is
 * in its connection arrives) or is owed the whole:
 *
 *     ── hello, subscribed, resync, delta without room ──▶ owed ── room ──▶ Complete sent, holds
 *     holds ── delta with room ──▶ holds            holds, owed ── unsubscribed ──▶ Withdraw sent, neither
 *
 * `syncing` until nothing is owed for the first time, which Ready tells; then `ready` for good.
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

  /** Something waits for room. */
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
      // A whole table goes out whenever there is any room: one larger than the limit would never go otherwise.
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

  /** All of them or none. */
  offer(...messages: readonly Uint8Array[]): boolean {
    const size = messages.reduce((sum, bytes) => sum + bytes.length, 0);
    if (size > this.#room) return false;
    for (const bytes of messages) this.add(bytes);
    return true;
  }
}
