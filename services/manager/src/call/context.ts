import { type Clock, type Duration, milliseconds, within } from '@causeway/runtime';
import type { Identity } from './identity.ts';

/** What is known of a call, whether it is answered once, by a stream, or is an agent's session. */
export interface CallContext {
  /** As gRPC names it: "/causeway.v1.NetworkService/CreateNetwork". */
  readonly method: string;
  /** Who calls, as a connection has proved: the caller's own, or that to the manager which sent the call on. */
  readonly peer: Identity;
  /** Who calls, in the caller's own words: for people who read events, and no ground to allow anything. */
  readonly actor: string;
  /** The caller has sent the call before, and got no answer. */
  readonly again: boolean;
  /** Until the caller gives up; without end for a stream that has no deadline. */
  readonly remaining: Duration;
  /** Aborts when the caller is gone. */
  readonly signal: AbortSignal;
  /** The leader was asked first and says nothing: what this manager knows by itself is wanted. */
  readonly alone: boolean;
  /** Tells the caller something beside the answer. */
  remark(text: string): void;
}

/**
 * Kept of a call's time so that our answer, which says what was waited for, is there before the caller's own timeout: also
 * over another manager, and where machines do much else.
 */
const answerTime = milliseconds(500);

/** Runs work under a signal that aborts a moment before the caller gives up. */
export function withinCall<Value>(
  clock: Clock,
  call: Pick<CallContext, 'remaining' | 'signal'>,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const span = milliseconds(Math.max(call.remaining / 2, call.remaining - answerTime));
  return within(clock, span, work, call.signal);
}
