import { type Duration, milliseconds, seconds } from '@causeway/runtime';
import type { ScopeId } from './scope.ts';

/** Each scope is read whole this often, whatever happens, for what the kernel does not notify of. */
const usual = seconds(30);
/** The time between two reads of a scope is at least this many times what reading all of them takes: 1 % of a core. */
const readsInPause = 100;
/** However many scopes there are. */
const longest = seconds(600);

/**
 * How often the scopes of a host are read whole. The kernel notifies of most changes. What it does not notify of (sysctls,
 * the inside of containers) is found by reading, which costs more the more networks there are.
 */
export class SweepPace {
  readonly #each = new Map<ScopeId, number>();
  #sum = 0;

  /** Reading a scope whole has taken so long, milliseconds. */
  took(id: ScopeId, span: number): void {
    this.#sum += span - (this.#each.get(id) ?? 0);
    this.#each.set(id, span);
  }

  forget(id: ScopeId): void {
    this.#sum -= this.#each.get(id) ?? 0;
    this.#each.delete(id);
  }

  /** Between two reads of one scope. */
  get interval(): Duration {
    return milliseconds(Math.min(Math.max(usual, this.#sum * readsInPause), longest));
  }
}
