import { type Clock, type Duration, milliseconds, within } from '@causeway/runtime';

/** What a use case knows of the call it answers. */
export interface Call {
  /** Until the caller gives up. */
  readonly remaining: Duration;
  /** Who calls, in its own words. */
  readonly actor: string;
  /** The caller has sent it before, and got no answer. */
  readonly again?: boolean;
  /** Aborts when the caller is gone. */
  readonly signal: AbortSignal;
  /** The leader was asked first and says nothing: what this manager knows by itself is wanted. */
  readonly alone?: boolean;
  /** Tells the caller something beside the answer. */
  remark?(text: string): void;
}

/**
 * Kept of a call's time so that our answer, which says what was waited for, is there before the caller's own timeout: also
 * over another manager, and where machines do much else.
 */
const answerTime = milliseconds(500);

/** Runs work under a signal that aborts a moment before the caller gives up. */
export function withinCall<Value>(
  clock: Clock,
  call: Call,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const span = milliseconds(Math.max(call.remaining / 2, call.remaining - answerTime));
  return within(clock, span, work, call.signal);
}
