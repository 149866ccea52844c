import { BroadcastQueue } from '../swim/broadcast-queue.ts';
import type { Bytes } from '../wire/bytes.ts';
import { maxQueued } from './limits.ts';

/** What waits to be sent to the whole cluster. News of members goes first, then queries, because they end, then events. */
export class Outbox {
  readonly #intents = new BroadcastQueue();
  readonly #queries = new BroadcastQueue();
  readonly #events = new BroadcastQueue();

  /** `done`: the message was sent as often as it will be. News of a node replaces older news of it. */
  intent(message: Bytes, node: string, done?: () => void): void {
    this.#intents.add(message, node, done);
  }

  /** False: too many wait already. */
  query(message: Bytes): boolean {
    return add(this.#queries, message);
  }

  event(message: Bytes): boolean {
    return add(this.#events, message);
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
}

function add(queue: BroadcastQueue, message: Bytes): boolean {
  if (queue.size >= maxQueued) return false;
  queue.add(message);
  return true;
}
