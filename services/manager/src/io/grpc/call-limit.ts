import { CausewayError } from '@causeway/model';
import { formatIdentity, type Identity } from '../../call/identity.ts';

/** Concurrent calls on all connections: somewhat more than the writer takes, so that reads are still answered. */
export const mostCalls = 10_000;

/** Concurrent streams besides agents' sessions: watches, events, backups. */
export const mostStreams = 2_000;

/**
 * Limits the calls or streams that a manager serves at once. Each further one is refused with the advice to try again,
 * and costs nothing. A host may have a tenth of them, so that no host keeps out the others and the operators.
 */
export class CallLimit {
  readonly #what: string;
  readonly #most: number;
  readonly #ofHosts = new Map<string, number>();
  #count = 0;

  constructor(what: string, most: number) {
    this.#what = what;
    this.#most = most;
  }

  /** Returns a function to call once when the call has ended. @throws CausewayError busy */
  enter(by: Identity): () => void {
    if (this.#count >= this.#most) {
      const message = `${this.#most} ${this.#what} are under way at this manager: try again in a moment, or at another manager`;
      throw new CausewayError('busy', message, { most: this.#most });
    }
    const leave = by.kind === 'agent' || by.kind === 'joiner' ? this.#enterHost(formatIdentity(by)) : undefined;
    this.#count++;
    return () => {
      this.#count--;
      leave?.();
    };
  }

  #enterHost(host: string): () => void {
    const most = Math.ceil(this.#most / 10);
    const count = this.#ofHosts.get(host) ?? 0;
    if (count >= most) {
      const message = `${most} ${this.#what} of ${host} are under way at this manager, which is the limit of one host: try again in a moment`;
      throw new CausewayError('busy', message, { most });
    }
    this.#ofHosts.set(host, count + 1);
    return () => {
      const left = (this.#ofHosts.get(host) ?? 1) - 1;
      if (left === 0) this.#ofHosts.delete(host);
      else this.#ofHosts.set(host, left);
    };
  }
}
