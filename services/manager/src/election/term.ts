import { isCausewayError } from '@causeway/model';
import type { Log } from '@causeway/runtime';

/** One term of this manager's leadership. It begins when the view has everything that earlier leaders have written. */
export interface Term {
  /** Create revision of the leader key. */
  readonly revision: bigint;
  /** Aborts when the term is over. */
  readonly signal: AbortSignal;
}

/**
 * Work that only a leader does. Each term has its own controllers, so a controller knows only what it learnt in its term.
 */
export interface Controller {
  /** Works until the term's signal aborts; resolves when all its work has ended. Never rejects. */
  run(term: Term): Promise<void>;
}

/**
 * Returns the log function for failures of a controller's loop. "not-leader" is no failure: it means that the term ended.
 */
export function failureLog(log: Log, event: string): (error: unknown) => void {
  return (error) => {
    if (!isCausewayError(error, 'not-leader')) log.warn(event, { error });
  };
}
