import { BroadcastQueue } from '../swim/broadcast-queue.ts';
import type { Bytes } from '../wire/bytes.ts';
import { maxQueued } from './limits.ts';

/** What waits to be sent to the whole cluster. News of members goes first, then queries, because they end, then events. */
export class Outbox {
  readonly #longest: number;
  readonly #onNews: () => void;
  readonly #intents = new BroadcastQueue();
  readonly #queries = new BroadcastQueue();
  readonly #events = new BroadcastQueue();

  /** `longest`: the length of the longest message that fits into a packet. `onNews`: there is something to send. */
  constructor(longest: number, onNews: () => void) {
    this.#longest = longest;
    this.#onNews = onNews;
  }

  /** `done`: the message was sent as often as it will be. News of a node replaces older news of it. */
  intent(message: Bytes, node: string, done?: () => void): void {
    this.#intents.add(message, node, done);
    this.#onNews();
  }

  /** Why not: the message is not sent. */
  query(message: Bytes): string | undefined {
    return this.#add(this.#queries, message);
  }

  /** Why not: the message is not sent. */
  event(message: Bytes): string | undefined {
    return this.#add(this.#events, message);
  }

  /** As `BroadcastQueue.take`. */
  take(room: number, overhead: number, limit: number): readonly Bytes[] {
    const taken: Bytes[] = [];
    let left = room;
    for (const queue of [this.#intents, this.#queries, this.#events]) {
      const messages = queue.take(left, overhead, limit);
      for (const message of messages) left -= message.length + overhead;
      taken.push(...messages);
    }
    return taken;
  }

  #add(queue: BroadcastQueue, message: Bytes): string | undefined {
    // It would wait forever, and take the place of others.
    if (message.length > this.#longest) return 'longer than a packet';
    if (queue.size >= maxQueued) return 'too many messages wait to be sent';
    queue.add(message);
    this.#onNews();
    return undefined;
  }
}
