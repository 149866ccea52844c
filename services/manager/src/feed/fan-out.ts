import type { NetworkId } from '@causeway/model';
import { type Duration, milliseconds } from '@causeway/runtime';

/** Pause after a network's changes went to its hosts. Changes meanwhile go together, as one delta. */
export type FanOutPause = (hosts: number) => Duration;

/**
 * Shortest pause, ms. While endpoints come and go quickly, several of them share a delta, so that each costs every host less. An
 * attach takes at least as long, so its container is seldom ready before the other hosts know the endpoint.
 */
const least = 10;
/** Longest pause, ms: the delay of a change stays below a second. */
const most = 500;

/**
 * A delta costs a manager about 50 µs for each host: the message to the host, and the host's report that it has applied the
 * delta. With a pause of the same length, one busy network takes half of the manager's CPU time. What went to no host needs
 * no pause: the first endpoint of a new network is not delayed.
 */
export const fanOutPause: FanOutPause = (hosts) =>
  milliseconds(hosts === 0 ? 0 : Math.max(least, Math.min(most, Math.floor(hosts / 20))));

/**
 * When changes of networks go to their hosts: at once, unless the network's last changes went a moment ago. So a change of a
 * network at rest is not delayed, and a network that changes all the time costs a bounded part of the CPU time
 * of the manager.
 */
export class FanOut {
  readonly #pause: FanOutPause;
  /** Networks with changes that have not gone to their hosts. */
  readonly #waiting = new Set<NetworkId>();
  /** When the pause of a network ends, ms on the monotonic clock; infinite while its changes go to its hosts. */
  readonly #pausing = new Map<NetworkId, number>();

  constructor(pause: FanOutPause) {
    this.#pause = pause;
  }

  /** The network has changed. */
  changed(network: NetworkId): void {
    this.#waiting.add(network);
  }

  /** The network is deleted. */
  forget(network: NetworkId): void {
    this.#waiting.delete(network);
    this.#pausing.delete(network);
  }

  /** Takes the networks whose changes go to their hosts now. The caller says when that is done: see `sent`. */
  due(now: number): readonly NetworkId[] {
    const due = [...this.#waiting].filter((network) => (this.#pausing.get(network) ?? now) <= now);
    for (const network of due) {
      this.#waiting.delete(network);
      this.#pausing.set(network, Number.POSITIVE_INFINITY);
    }
    return due;
  }

  /** The network's changes have gone to so many hosts. */
  sent(network: NetworkId, hosts: number, now: number): void {
    const pause = this.#pause(hosts);
    if (pause === 0) this.#pausing.delete(network);
    else if (this.#pausing.has(network)) this.#pausing.set(network, now + pause);
  }

  /** Time until the next changes are due; undefined: no end of a pause brings any. */
  untilDue(now: number): Duration | undefined {
    let first = Number.POSITIVE_INFINITY;
    for (const network of this.#waiting) first = Math.min(first, this.#pausing.get(network) ?? now);
    return first === Number.POSITIVE_INFINITY ? undefined : milliseconds(Math.max(0, first - now));
  }
}
