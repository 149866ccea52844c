import type { NetworkId } from '@causeway/model';
import { type Duration, milliseconds, seconds } from '@causeway/runtime';

/** Each network is looked at this often, whatever happens, for what no notification tells. */
const usual = seconds(30);
/** The time between two looks at a network is at least this many times what looking at all of them takes: 1 % of a core. */
const looksInPause = 100;
/** However many networks there are. */
const longest = seconds(600);

/**
 * How often the networks of a host are looked at. The kernel tells of most changes; what it tells nobody (sysctls, the
 * inside of containers) is found by looking, which costs the more the more networks there are.
 */
export class SweepPace {
  readonly #took = new Map<NetworkId, number>();
  #sum = 0;

  /** A look at the whole of a network has taken so long, milliseconds. */
  looked(networkId: NetworkId, took: number): void {
    this.#sum += took - (this.#took.get(networkId) ?? 0);
    this.#took.set(networkId, took);
  }

  forget(networkId: NetworkId): void {
    this.#sum -= this.#took.get(networkId) ?? 0;
    this.#took.delete(networkId);
  }

  /** Between two looks at one network. */
  get interval(): Duration {
    return milliseconds(Math.min(Math.max(usual, this.#sum * looksInPause), longest));
  }
}
