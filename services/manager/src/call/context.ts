import { type Clock, type Duration, milliseconds, within } from '@causeway/runtime';
import type { Identity } from './identity.ts';

/** What is known about a call. The call may have one answer or a stream of answers, or be an agent's session. */
export interface CallContext {
  /** Full name of the gRPC method: "/causeway.v1.NetworkService/CreateNetwork". */
  readonly method: string;
  /** Who calls, as proved by the caller's connection: to this manager, or to the manager that forwarded the call. */
  readonly peer: Identity;
  /** Who calls, in the caller's own words. For people who read events; access control ignores it. */
  readonly actor: string;
  /** The caller has sent the call before and got no answer. */
  readonly isRetry: boolean;
  /** Time until the caller gives up; infinite for a stream without a deadline. */
  readonly remaining: Duration;
  /** Aborts when the caller is gone. */
  readonly signal: AbortSignal;
  /** The leader was asked first and did not answer: the caller wants what this manager knows by itself. */
  readonly withoutLeader: boolean;
  /** Adds a remark for the caller to the answer. */
  remark(text: string): void;
}

/**
 * Reserve at the end of a call's time. With it, the manager's answer, which says what the call waited for, arrives before
 * the caller's own timeout: also through another manager, and on busy machines.
 */
const answerTime = milliseconds(500);

/** Runs work with a signal that aborts a moment before the caller gives up. */
export function withinCall<Value>(
  clock: Clock,
  call: Pick<CallContext, 'remaining' | 'signal'>,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const span = milliseconds(Math.max(call.remaining / 2, call.remaining - answerTime));
  return within(clock, span, work, call.signal);
}
