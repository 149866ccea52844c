import type { Clock, Log } from '@causeway/runtime';
import type { EventOrder } from '../events/order.ts';
import type { Keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import type { View } from '../store/view.ts';
import { Committer } from './committer.ts';
import { DoubtfulCalls } from './unresolved-calls.ts';

export interface TenureParts {
  readonly store: Pick<Store, 'txn' | 'get' | 'page' | 'maxTxnOps'>;
  readonly view: View;
  readonly keys: Keys;
  readonly order: EventOrder;
  readonly clock: Clock;
  readonly log: Log;
}

/** One term of leadership, for as long as this manager believes in it. A call belongs to the term it came in. */
export class Tenure {
  readonly committer: Committer;
  readonly doubtful: DoubtfulCalls;
  readonly #view: View;
  readonly #end = new AbortController();
  #known: bigint;

  constructor(parts: TenureParts, term: bigint) {
    this.doubtful = new DoubtfulCalls(parts);
    this.committer = new Committer(parts, { term });
    this.#view = parts.view;
    this.#known = term;
  }

  /** Somebody was told of that revision. */
  answered(revision: bigint): void {
    if (revision > this.#known) this.#known = revision;
  }

  /**
   * Resolves when the view has all that anybody was told: what earlier leaders have written came before the key that made
   * this one leader, and its own answers are counted. Only then is a plan worth something. Rejects when the term ends.
   */
  caughtUp(): Promise<void> {
    return this.#view.waitFor(this.#known, this.#end.signal);
  }

  get isOver(): boolean {
    return this.#end.signal.aborted;
  }

  /** Resolves when nothing of it is in flight any more. */
  async end(): Promise<void> {
    this.#end.abort();
    await this.committer.close();
  }
}
