import type { LeaderRecord } from '../store/view.ts';
import { isProcessGone, type ProcessWatchParts } from './process-watch.ts';

/** Watches the process of the present leader, of one leader at a time. */
export class LeaderWatch {
  readonly #parts: ProcessWatchParts;
  readonly #onGone: (leader: LeaderRecord) => void;
  /** The leader whose process is watched. `end` is aborted when another leader, or none, is to be watched. */
  #watched: { readonly term: bigint; readonly end: AbortController } | undefined;

  constructor(parts: ProcessWatchParts, onGone: (leader: LeaderRecord) => void) {
    this.#parts = parts;
    this.#onGone = onGone;
  }

  /** Begins to watch the process of that leader, and stops watching any other. */
  watch(leader: LeaderRecord | undefined): void {
    if (this.#watched?.term === leader?.term) return;
    this.#watched?.end.abort();
    this.#watched = undefined;
    if (leader === undefined) return;
    const end = new AbortController();
    this.#watched = { term: leader.term, end };
    void isProcessGone(this.#parts, leader, end.signal).then(() => {
      if (!end.signal.aborted) this.#onGone(leader); // otherwise another manager leads by now, perhaps this one
    });
  }
}
