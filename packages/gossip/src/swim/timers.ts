export interface Timer {
  readonly at: number;
  /** Orders timers of one instant: the one that was armed first fires first. */
  readonly order: number;
  readonly fire: () => void;
  isCancelled: boolean;
}

/** Timers in order of time: a binary heap. A cancelled timer stays in the heap until its turn. */
export class Timers {
  readonly #heap: Timer[] = [];
  #order = 0;

  /** When the next timer fires; undefined if there is none. */
  get next(): number | undefined {
    this.#dropCancelled();
    return this.#heap[0]?.at;
  }

  at(at: number, fire: () => void): Timer {
    const timer: Timer = { at, order: this.#order++, fire, isCancelled: false };
    const heap = this.#heap;
    let index = heap.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(timer, heap[parent] as Timer)) break;
      heap[index] = heap[parent] as Timer;
      index = parent;
    }
    heap[index] = timer;
    return timer;
  }

  /** Takes the first timer that is due. */
  due(now: number): Timer | undefined {
    this.#dropCancelled();
    const first = this.#heap[0];
    return first !== undefined && first.at <= now ? this.#take() : undefined;
  }

  #dropCancelled(): void {
    while (this.#heap[0]?.isCancelled === true) this.#take();
  }

  #take(): Timer | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Timer, heap[child] as Timer)) child++;
      if (!isBefore(heap[child] as Timer, last)) break;
      heap[index] = heap[child] as Timer;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
