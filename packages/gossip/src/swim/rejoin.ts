import { below } from '../random.ts';
import type { Context } from './context.ts';
import { type Address, isGone } from './member.ts';
import type { Membership } from './membership.ts';

/** After an exchange with a lost node, both refute that they are dead; a second exchange tells each other so. */
const secondTry = 100;

/**
 * Heals partitions that lasted longer than a suspicion. Each side tries one lost node of the other about once per
 * `rejoinInterval`, however many nodes it has: a node alone tries each time, a node of 100 every hundredth time.
 */
export class Rejoin {
  readonly #context: Context;
  readonly #membership: Membership;
  readonly #exchange: (to: Address, answered: () => void) => void;

  constructor(context: Context, membership: Membership, exchange: (to: Address, answered: () => void) => void) {
    this.#context = context;
    this.#membership = membership;
    this.#exchange = exchange;
  }

  start(): void {
    if (this.#context.settings.profile.rejoinInterval > 0) this.#arm();
  }

  #arm(): void {
    const { rejoinInterval } = this.#context.settings.profile;
    // Between half and one and a half of the interval, so that nodes do not stay in step.
    this.#context.after((0.5 + this.#context.random.float()) * rejoinInterval, () => this.#tick());
  }

  #tick(): void {
    this.#arm();
    const { lost, all, isLeaving } = this.#membership;
    if (lost.size === 0 || isLeaving) return;
    const live = all.filter((each) => !isGone(each)).length;
    if (below(this.#context.random, live) > 0) return;
    const target = lost.all[below(this.#context.random, lost.size)];
    if (target === undefined) return;
    this.#exchange(target, () => {
      this.#context.after(secondTry, () => {
        if (lost.has(target.name)) this.#exchange(target, () => undefined);
      });
    });
  }
}
