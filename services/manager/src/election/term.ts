import { isCausewayError } from '@causeway/model';
import type { Log } from '@causeway/runtime';

/** One term of this manager's leadership, from when its view has all that earlier leaders have written. */
export interface Term {
  /** Create revision of the leader key. */
  readonly revision: bigint;
  /** Aborts when the term is over. */
  readonly signal: AbortSignal;
}

/** Work that only a leader does. Each term has controllers of its own: what one knows it has learnt in that term. */
export interface Controller {
  /** Works until the term's signal aborts; resolves when nothing of it runs any more. Never rejects. */
  run(term: Term): Promise<void>;
}

/** What a controller's loop calls with its failures. A term that ended without this manager knowing yet is no failure. */
export function failureLog(log: Log, event: string): (error: unknown) => void {
  return (error) => {
    if (!isCausewayError(error, 'not-leader')) log.warn(event, { error });
  };
}
