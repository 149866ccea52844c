import { type Duration, milliseconds, seconds } from '@causeway/runtime';
import type { ScopeId } from './scope.ts';

/** Usual time between two whole reads of a scope. The reads find changes for which the kernel sends no notification. */
const usual = seconds(30);
/**
 * The time between two reads of a scope is at least this many times the duration of one read of all scopes: half a percent of
 * a core. What a pass does besides its reads takes about as much again.
 */
const readsInPause = 200;
/** Longest time between two reads of a scope, however many scopes there are. */
const longest = seconds(600);

interface Reads {
  /** How long the last read took, ms. */
  readonly last: number;
  /** The shorter of the last two, ms. */
  readonly counts: number;
}

/**
 * How often the scopes of a host are read whole. The kernel sends a notification for most changes. The reads find the
 * other changes (sysctls), and cost more with more networks.
 */
export class SweepPace {
  readonly #each = new Map<ScopeId, Reads>();
  /** Sum of `counts`, ms. */
  #sum = 0;

  /**
   * A whole read of the scope, without what was written afterwards, has taken `span` ms. The shorter of the last two reads
   * counts: on a busy machine a single read may wait for seconds, and would otherwise put off the next one for minutes.
   */
  took(id: ScopeId, span: number): void {
    const before = this.#each.get(id);
    this.forget(id);
    const reads = { last: span, counts: Math.min(span, before?.last ?? span) };
    this.#each.set(id, reads);
    this.#sum += reads.counts;
  }

  forget(id: ScopeId): void {
    this.#sum -= this.#each.get(id)?.counts ?? 0;
    this.#each.delete(id);
  }

  /** Time between two whole reads of one scope. */
  get interval(): Duration {
    return milliseconds(Math.min(Math.max(usual, this.#sum * readsInPause), longest));
  }
}
