import type { Log } from '@causeway/runtime';
import type { TermWriter, Writer } from '../commit/writer.ts';
import type { View } from '../store/view.ts';
import type { Elector } from './elector.ts';
import type { Leadership } from './leadership.ts';
import type { Controller, Term } from './term.ts';

interface TermRunnerParts {
  readonly elector: Pick<Elector, 'subscribe'>;
  readonly view: Pick<View, 'waitFor'>;
  readonly writer: Pick<Writer, 'lead' | 'follow'>;
  /** Makes the controllers of each new term. Their writes with `writer` happen in that term or not at all. */
  readonly controllers: (writer: TermWriter) => readonly Controller[];
  readonly log: Log;
}

/**
 * The one place where leadership starts and ends work:
 *
 *     following ── the store gives it the key ──▶ elected ── its view has reached the term ──▶ leading
 *     elected, leading ── the elector says otherwise ──▶ following
 *
 * An elected manager still behaves as a follower: its view is older than the term, and other managers may have written
 * since. A term begins for all parts in one turn of the event loop, and ends in one turn.
 */
export class TermRunner {
  readonly #parts: TermRunnerParts;
  readonly #listeners = new Set<(leads: boolean) => void>();
  readonly #running = new Set<Promise<void>>();
  #end = new AbortController();
  #term: Term | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(parts: TermRunnerParts) {
    this.#parts = parts;
  }

  /**
   * Undefined while another manager leads, or none, or this manager is elected and its view has not reached the term yet.
   */
  get term(): Term | undefined {
    return this.#term;
  }

  /** How many controllers run: those of this term, and those of an ended term whose last call has not returned yet. */
  get running(): number {
    return this.#running.size;
  }

  /** Called after a term has begun or ended. Returns the way to stop listening. */
  subscribe(listener: (leads: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    this.#unsubscribe = this.#parts.elector.subscribe((leadership) => this.#follow(leadership));
  }

  /** Ends the term, if any; resolves when no controller runs any more. */
  async stop(): Promise<void> {
    this.#unsubscribe?.();
    this.#follow({ role: 'follower' });
    await Promise.all(this.#running);
  }

  /** elected, leading -> following, or any -> elected */
  #follow(leadership: Leadership): void {
    const led = this.#term !== undefined;
    this.#term = undefined;
    this.#end.abort();
    this.#parts.writer.follow(leadership.role === 'follower' ? leadership.leader?.address : undefined);
    if (led) this.#tell(false);
    if (leadership.role === 'leader') this.#await(leadership.term);
  }

  #await(revision: bigint): void {
    const end = new AbortController();
    this.#end = end;
    this.#parts.view.waitFor(revision, end.signal).then(
      () => {
        if (!end.signal.aborted) this.#begin({ revision, signal: end.signal });
      },
      () => undefined,
    );
  }

  /** elected -> leading */
  #begin(term: Term): void {
    const { writer, controllers, log } = this.#parts;
    this.#term = term;
    for (const controller of controllers(writer.lead(term.revision))) {
      const running = controller
        .run(term)
        .catch((error: unknown) => log.error('controller.failed', { term: `${term.revision}`, error }))
        .finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
    this.#tell(true);
  }

  #tell(leads: boolean): void {
    for (const listener of this.#listeners) listener(leads);
  }
}
