import { assertNever, type FeedVersion, type NetworkId } from '@causeway/model';
import type { NetworkCursor } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { encodeReady, encodeWithdraw } from './encode.ts';
import type { Tables } from './steps.ts';

/**
 * Bytes that wait in an agent's connection. At this limit the agent gets nothing more until the connection has taken some of
 * them: a slow agent costs a bounded amount of memory, and later gets the newest state instead of a backlog. There is room for a
 * Complete of 10,000 rows. A message is sent when there is any room at all: otherwise a table larger than the limit would never
 * be sent.
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
  /** The host got its first endpoint of the network, or the network began anew. The table is sent with the next `moved`. */
  | { readonly kind: 'subscribed'; readonly network: NetworkId }
  /** The network's table has changed, and the changes are due. */
  | { readonly kind: 'moved'; readonly network: NetworkId }
  | { readonly kind: 'unsubscribed'; readonly network: NetworkId }
  | { readonly kind: 'resync'; readonly network: NetworkId }
  /** The connection may have room again. */
  | { readonly kind: 'room' };

/** The agent holds nothing of the network that the manager could continue: no step begins at this revision. */
const nothing = 0n;

/**
 * What was sent to one agent. For each network that the agent is subscribed to, this is the revision that the agent holds when
 * everything in its connection has arrived. The message for an agent is computed when it is sent, from the revision that the
 * agent holds. Changes that waited therefore go as one delta.
 *
 *     ── hello, subscribed, resync ──▶ holds nothing ── moved, with room ──▶ Complete sent, holds the present revision
 *     holds R ── moved, with room ──▶ delta from R sent, holds the present revision
 *     moved, without room ──▶ late ── room ──▶ as moved            any ── unsubscribed ──▶ Withdraw sent
 *
 * The phase is `syncing` until the agent holds the present revision of every network for the first time. Then Ready is sent,
 * and the phase stays `ready`.
 */
export class Subscriptions {
  readonly #tables: Tables;
  /** The feed version that both sides speak. */
  readonly #feed: FeedVersion;
  /** The view's revision, for Ready. */
  readonly #revision: () => bigint;
  readonly #held = new Map<NetworkId, bigint>();
  /** Networks whose changes are due and wait for room. */
  readonly #late = new Set<NetworkId>();
  #phase: 'syncing' | 'ready' = 'syncing';

  constructor(tables: Tables, revision: () => bigint, feed: FeedVersion) {
    this.#tables = tables;
    this.#feed = feed;
    this.#revision = revision;
  }

  get isReady(): boolean {
    return this.#phase === 'ready';
  }

  /** Something for the agent waits for room. */
  get isBehind(): boolean {
    return this.#late.size > 0;
  }

  /** Takes the event and returns what to send now, given the bytes that already wait in the connection. */
  step(event: SubscriptionEvent, backlog: number): readonly Uint8Array[] {
    const out = new Outbox(backlogLimit - backlog);
    switch (event.kind) {
      case 'hello':
        this.#hello(event.cursors, event.subscribed, event.continues, out);
        break;
      case 'moved':
        this.#bring(event.network, out);
        break;
      case 'subscribed':
        this.#held.set(event.network, nothing);
        break;
      case 'unsubscribed':
        this.#late.delete(event.network);
        if (this.#held.delete(event.network)) out.add(encodeWithdraw(event.network));
        break;
      case 'resync':
        if (this.#held.has(event.network)) this.#held.set(event.network, nothing);
        this.#bring(event.network, out);
        break;
      case 'room':
        for (const network of this.#late) this.#bring(network, out);
        break;
      default:
        assertNever(event);
    }
    if (this.#phase === 'syncing') this.#getReady(out);
    return out.messages;
  }

  #hello(cursors: readonly NetworkCursor[], subscribed: Iterable<NetworkId>, continues: boolean, out: Outbox): void {
    for (const network of subscribed) this.#held.set(network, nothing);
    for (const [id, cursor] of new Map(cursors.map((cursor) => [cursor.networkId, cursor]))) {
      const network = id as NetworkId;
      if (!this.#held.has(network)) out.add(encodeWithdraw(network));
      else if (continues) this.#continue(network, cursor, out);
    }
  }

  /** The agent holds what its cursor says if the table can be continued from there. */
  #continue(network: NetworkId, cursor: NetworkCursor, out: Outbox): void {
    const table = this.#tables.get(network);
    if (table === undefined || !out.hasRoom) return;
    const step = table.continued(cursor, this.#feed);
    if (step === undefined) return;
    if (step !== 'nothing') out.add(step.of(this.#feed));
    this.#held.set(network, table.revision);
  }

  /** Sends what brings the agent to the present revision of the network, or notes that it waits for room. */
  #bring(network: NetworkId, out: Outbox): void {
    const held = this.#held.get(network);
    const table = this.#tables.get(network);
    if (held === undefined || table === undefined || held === table.revision) {
      this.#late.delete(network);
    } else if (!out.hasRoom) {
      this.#late.add(network);
    } else {
      out.add(table.since(held)?.of(this.#feed) ?? table.complete(this.#feed));
      this.#held.set(network, table.revision);
      this.#late.delete(network);
    }
  }

  /** syncing -> ready, when the agent holds the present revision of every network. */
  #getReady(out: Outbox): void {
    for (const network of this.#held.keys()) this.#bring(network, out);
    if (this.isBehind) return;
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
}
