/** Says that the reader of events was too slow, and how many events are missing. */
export interface Overflow {
  readonly type: 'overflow';
  readonly lost: number;
}

/** A reader that is so many events behind loses the oldest. */
const maxBacklog = 4096;

/** Events for one reader, which may be slower than the events. */
export class EventStream<Event> implements AsyncIterable<Event | Overflow>, AsyncIterator<Event | Overflow> {
  #backlog: Event[] = [];
  #lost = 0;
  #isOver = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  readonly #onReturn: () => void;

  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  push(event: Event): void {
    if (this.#backlog.length === maxBacklog) {
      this.#backlog.shift();
      this.#lost++;
    }
    this.#backlog.push(event);
    this.#wake?.();
  }

  /** The reader gets what is left, and then the end. */
  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  /** The reader gets what is left, and then the error. */
  fail(error: Error): void {
    this.#failure = error;
    this.end();
  }

  [Symbol.asyncIterator](): AsyncIterator<Event | Overflow> {
    return this;
  }

  async next(): Promise<IteratorResult<Event | Overflow>> {
    for (;;) {
      if (this.#lost > 0) {
        const value = { type: 'overflow' as const, lost: this.#lost };
        this.#lost = 0;
        return { done: false, value };
      }
      const value = this.#backlog.shift();
      if (value !== undefined) return { done: false, value };
      const failure = this.#failure;
      this.#failure = undefined;
      if (failure !== undefined) throw failure;
      if (this.#isOver) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<Event | Overflow>> {
    this.#onReturn();
    this.#backlog = [];
    this.end();
    return { done: true, value: undefined };
  }
}
