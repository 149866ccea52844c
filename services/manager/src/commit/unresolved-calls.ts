import { CausewayError, type RequestId } from '@causeway/model';
import { type Clock, minutes } from '@causeway/runtime';

/** Outcomes are kept for this time. A copy of a call that arrives later would not find its outcome anyway. */
const remembered = minutes(10);

/**
 * Most unresolved calls, at about 150 bytes each: 2 MB in all. A leader reaches this number when the store is silent under a
 * storm of calls.
 */
const mostUnresolved = 16_384;

/**
 * Calls of which a copy may still be written after the answer: a transaction got no answer, or the caller has sent the call
 * before. A call is resolved when its outcome is in the store. The list belongs to one term: the fence stops transactions of
 * earlier terms, and a caller that sends a call again says so each time.
 */
export class UnresolvedCalls {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #most: number;
  /** When each call was last found unresolved, oldest first. */
  readonly #since = new Map<RequestId, number>();

  constructor(
    parts: { readonly clock: Pick<Clock, 'now'> },
    { most }: { readonly most: number } = { most: mostUnresolved },
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
   * Notes that the caller has sent the call before.
   * @throws CausewayError busy when there are too many: a call that cannot be remembered must not be carried out
   */
  resent(id: RequestId): void {
    this.#forgetOld();
    if (!this.#since.has(id) && this.#since.size >= this.#most) {
      const message = `the outcomes of ${this.#most} calls are unresolved, and no more can be remembered: try again in a few minutes`;
      throw new CausewayError('busy', message, { most: this.#most });
    }
    this.unanswered(id);
  }

  /**
   * A transaction of the call got no answer. At most one batch of calls is without an answer at a time: no limit is needed.
   */
  unanswered(id: RequestId): void {
    this.#forgetOld();
    this.#since.delete(id);
    this.#since.set(id, this.#clock.now());
  }

  /** Notes that the call's outcome is in the store. */
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
