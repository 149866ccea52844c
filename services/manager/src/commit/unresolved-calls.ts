import { CausewayError, type RequestId } from '@causeway/model';
import { type Clock, minutes } from '@causeway/runtime';

/** A copy of a call that is on its way for longer than outcomes are kept would not find its outcome any more anyway. */
const remembered = minutes(10);

/** At about 150 bytes each some 2 MB: a leader has this many in doubt when a store was silent under a storm of calls. */
export const mostDoubtful = 16_384;

/**
 * Calls of which something may still be written after they are answered, until something of theirs is known to be: a
 * transaction that got no answer, or a copy of the call that was sent before. Of one term: the fence stops transactions of
 * earlier ones, and who calls again says so again.
 */
export class DoubtfulCalls {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #most: number;
  /** When each was last said to be, oldest first. */
  readonly #since = new Map<RequestId, number>();

  constructor(
    parts: { readonly clock: Pick<Clock, 'now'> },
    { most }: { readonly most: number } = { most: mostDoubtful },
  ) {
    this.#clock = parts.clock;
    this.#most = most;
  }

  get size(): number {
    return this.#since.size;
  }

  has(id: RequestId): boolean {
    return this.#since.has(id);
  }

  /**
   * A copy of the call was sent before.
   * @throws CausewayError busy when there are too many: a call that cannot be remembered must not be carried out
   */
  again(id: RequestId): void {
    this.#forgetOld();
    if (!this.#since.has(id) && this.#since.size >= this.#most) {
      const message = `the outcomes of ${this.#most} calls are in doubt, and no more can be remembered: try again in some minutes`;
      throw new CausewayError('busy', message, { most: this.#most });
    }
    this.unanswered(id);
  }

  /** A transaction of it got no answer. Only so many do as one transaction carries, in the time that a store is waited for. */
  unanswered(id: RequestId): void {
    this.#forgetOld();
    this.#since.delete(id);
    this.#since.set(id, this.#clock.now());
  }

  /** Its outcome is known, and kept. */
  delete(id: RequestId): void {
    this.#since.delete(id);
  }

  #forgetOld(): void {
    const now = this.#clock.now();
    for (const [id, since] of this.#since) {
      if (now - since < remembered) return;
      this.#since.delete(id);
    }
  }
}
