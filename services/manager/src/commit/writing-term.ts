import type { Clock, Log } from '@causeway/runtime';
import type { EventOrder } from '../events/order.ts';
import type { Keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import type { View } from '../store/view.ts';
import { Committer } from './committer.ts';
import { UnresolvedCalls } from './unresolved-calls.ts';

interface WritingTermParts {
  readonly store: Pick<Store, 'txn' | 'get' | 'page' | 'maxTxnOps'>;
  readonly view: View;
  readonly keys: Keys;
  readonly order: EventOrder;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the writer knows of one term, while the manager believes that it leads. A call belongs to the term of its arrival. */
export class WritingTerm {
  readonly committer: Committer;
  readonly unresolved: UnresolvedCalls;
  readonly #view: View;
  readonly #end = new AbortController();
  #known: bigint;

  constructor(parts: WritingTermParts, term: bigint) {
    this.unresolved = new UnresolvedCalls(parts);
    this.committer = new Committer(parts, { term });
    this.#view = parts.view;
    this.#known = term;
  }

  /** Notes that a caller was answered with that revision. */
  answered(revision: bigint): void {
    if (revision > this.#known) this.#known = revision;
  }

  /**
   * Resolves when the view has every change that any caller got an answer for: earlier leaders wrote before the key that
   * made this manager leader, and `answered` notes its own answers. No plan may be made before that. Rejects when the term
   * ends.
   */
  caughtUp(): Promise<void> {
    return this.#view.waitFor(this.#known, this.#end.signal);
  }

  get isOver(): boolean {
    return this.#end.signal.aborted;
  }

  /** Resolves when no transaction of the term is in flight any more. */
  async end(): Promise<void> {
    this.#end.abort();
    await this.committer.close();
  }
}
