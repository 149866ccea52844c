/**
 * Runs `work` after each poke, never twice at the same time: pokes that arrive during a run cause one further run. `work`
 * must not throw: it handles its own failures, and the worker goes on after them.
 */
export class Worker {
  readonly #work: (signal: AbortSignal) => Promise<void>;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #again = false;

  constructor(work: (signal: AbortSignal) => Promise<void>) {
    this.#work = work;
  }

  /** Resolves when a run that began at or after this call has ended, or when the worker has stopped. */
  poke(): Promise<void> {
    if (this.#abort.signal.aborted) return Promise.resolve();
    if (this.#running === undefined) {
      this.#running = this.#run();
      return this.#running;
    }
    this.#again = true;
    return this.#running.then(() => (this.#running === undefined ? undefined : this.#running));
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    this.#again = false;
    try {
      await this.#work(this.#abort.signal);
    } finally {
      this.#running = undefined;
      if (this.#again && !this.#abort.signal.aborted) this.#running = this.#run();
    }
  }
}
