import type { Bytes } from '../wire/bytes.ts';
import { maxParts } from '../wire/limits.ts';

interface Broadcast {
  /** A newer message about the same subject replaces this one. */
  readonly subject: string | undefined;
  readonly message: Bytes;
  readonly order: number;
  /** The message was sent often enough, or was replaced. */
  readonly done: (() => void) | undefined;
  sends: number;
}

/**
 * Messages that are sent a limited number of times. What was sent least goes first; among equals, the longest, which is
 * hardest to fit in, then the newest.
 */
export class BroadcastQueue {
  /** Index: number of sends. Each list is in the order in which its messages go. */
  readonly #lists: Broadcast[][] = [];
  readonly #bySubject = new Map<string, Broadcast>();
  #order = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Whether a message was not sent at all yet. */
  get hasUnsent(): boolean {
    return (this.#lists[0]?.length ?? 0) > 0;
  }

  add(message: Bytes, subject?: string, done?: () => void): void {
    const replaced = subject === undefined ? undefined : this.#bySubject.get(subject);
    if (replaced !== undefined) {
      const list = this.#lists[replaced.sends] ?? [];
      list.splice(list.indexOf(replaced), 1);
      this.#finish(replaced);
    }
    const broadcast: Broadcast = { subject, message, order: this.#order++, done, sends: 0 };
    if (subject !== undefined) this.#bySubject.set(subject, broadcast);
    this.#size++;
    this.#insert(broadcast);
  }

  /**
   * Messages for one packet, each of which takes `overhead` bytes more than its length. A message that was taken `limit` times
   * leaves the queue. `count`: at most so many.
   */
  take(room: number, overhead: number, limit: number, count = maxParts): Bytes[] {
    const taken: Broadcast[] = [];
    let left = room;
    for (const list of this.#lists) {
      for (let i = firstThatFits(list, left - overhead); i < list.length && left > overhead && taken.length < count; ) {
        const broadcast = list[i] as Broadcast;
        if (broadcast.message.length > left - overhead) {
          i++;
          continue;
        }
        list.splice(i, 1);
        taken.push(broadcast);
        left -= broadcast.message.length + overhead;
      }
    }
    // Only now: a message must not be taken twice for one packet.
    for (const broadcast of taken) {
      broadcast.sends++;
      if (broadcast.sends < limit) this.#insert(broadcast);
      else this.#finish(broadcast);
    }
    return taken.map(({ message }) => message);
  }

  #finish(broadcast: Broadcast): void {
    this.#size--;
    if (broadcast.subject !== undefined && this.#bySubject.get(broadcast.subject) === broadcast) {
      this.#bySubject.delete(broadcast.subject);
    }
    broadcast.done?.();
  }

  #insert(broadcast: Broadcast): void {
    while (this.#lists.length <= broadcast.sends) this.#lists.push([]);
    const list = this.#lists[broadcast.sends] as Broadcast[];
    list.splice(
      firstIndex(list, (each) => isBefore(broadcast, each)),
      0,
      broadcast,
    );
  }
}

function isBefore(a: Broadcast, b: Broadcast): boolean {
  const longer = a.message.length - b.message.length;
  return longer > 0 || (longer === 0 && a.order > b.order);
}

function firstThatFits(list: readonly Broadcast[], room: number): number {
  return firstIndex(list, (each) => each.message.length <= room);
}

/** The first index from which on `holds` is true. */
function firstIndex(list: readonly Broadcast[], holds: (each: Broadcast) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle] as Broadcast)) high = middle;
    else low = middle + 1;
  }
  return low;
}
