import { type Difference, differences, type Kernel } from '@causeway/datapath';
import { type Clock, type Duration, milliseconds, seconds } from '@causeway/runtime';
import { type Ipsec, readIpsec } from './ipsec.ts';
import { ReplayTally } from './replay-tally.ts';
import { ipsecOf } from './round.ts';

/** What the kernel does not notify of, as the end of a process that holds a socket, is found by a read after this time. */
const freshFor = seconds(5);

export interface Look {
  readonly found: Ipsec;
  /** What other programs have changed since the last round. */
  readonly drift: readonly Difference[];
  /** How long the read of the kernel took; undefined: it was not needed. */
  readonly readTook: Duration | undefined;
}

/**
 * What the kernel has of ours. A change of keys takes several rounds with a second of each other, and a host with many peers has
 * thousands of SAs and policies: after a round, the kernel has what it had before, and what it was asked for, unless it notifies of a
 * change, or has refused something.
 */
export class KnownIpsec {
  /** As of the latest read: what an SA dropped in the last five seconds before it was deleted may be missing. */
  readonly replays = new ReplayTally();
  readonly #modules: { readonly kernel: Pick<Kernel, 'read'>; readonly clock: Clock };
  /** What the kernel had after the last round. undefined: not known. */
  #held: Ipsec | undefined;
  /** Whether the kernel has the same now, as far as it has notified. */
  #isCurrent = false;
  /** Counts the calls of `forget`. */
  #changes = 0;
  /** The count at the last look. */
  #seen = 0;
  /** ms of the monotonic clock. */
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(modules: { readonly kernel: Pick<Kernel, 'read'>; readonly clock: Clock }) {
    this.#modules = modules;
  }

  /** Reads the kernel if needed. The next look reads it again, unless `became` is called in between. */
  async look(): Promise<Look> {
    const { clock } = this.#modules;
    const [held, isCurrent, began] = [this.#held, this.#isCurrent, clock.now()];
    this.#isCurrent = false;
    this.#seen = this.#changes;
    if (held !== undefined && isCurrent && began - this.#readAt < freshFor)
      return { found: held, drift: [], readTook: undefined };
    const found = await this.read();
    this.#readAt = began;
    const drift = held === undefined ? [] : differences(ipsecOf(found), ipsecOf(held));
    return { found, drift, readTook: milliseconds(clock.now() - began) };
  }

  /** All that the kernel has now. */
  async read(): Promise<Ipsec> {
    const found = await readIpsec(this.#modules.kernel);
    this.replays.see(found);
    return found;
  }

  /** The kernel has this after what was done since the look. undefined: the kernel has refused a part. */
  became(held: Ipsec | undefined): void {
    this.#held = held;
    this.#isCurrent = held !== undefined && this.#seen === this.#changes;
  }

  /** The kernel may have changed. */
  forget(): void {
    this.#changes++;
    this.#isCurrent = false;
  }

  /** Nothing of ours is in the kernel any more, or shall be: what is missing is no drift. */
  reset(): void {
    this.#held = undefined;
    this.forget();
  }
}
