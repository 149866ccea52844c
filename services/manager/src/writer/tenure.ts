import type { RequestId } from '@causeway/model';
import type { Log } from '@causeway/runtime';
import type { Keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import type { View } from '../store/view.ts';
import { Committer } from './committer.ts';

export interface TenureParts {
  readonly store: Pick<Store, 'txn' | 'get'>;
  readonly view: View;
  readonly keys: Keys;
  readonly log: Log;
}

/** One term of leadership, for as long as this manager believes in it. A call belongs to the term it came in. */
export class Tenure {
  readonly committer: Committer;
  /**
   * Resolves when the view has all that earlier leaders have written: each of their writes came before the key that made
   * this one leader. Plans of this term begin there. Rejects when the term ends first.
   */
  readonly opened: Promise<void>;
  /**
   * Calls with a transaction that got no answer and may still be written, until something of theirs is known to be. Of
   * this term only: the fence stops those of earlier ones.
   */
  readonly doubtful = new Set<RequestId>();
  readonly #end = new AbortController();

  constructor({ store, view, keys, log }: TenureParts, term: bigint) {
    this.committer = new Committer({ store, log }, { leaderKey: keys.leader, term });
    this.opened = view.waitFor(term, this.#end.signal);
    this.opened.catch(() => undefined); // whoever waits for it sees the rejection
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
