import { type Duration, milliseconds, seconds } from '@causeway/runtime';
import type { Session } from './session.ts';

/** Longest time between messages of an agent. Shorter finds dead hosts sooner; 1,000 hosts cost 500 tiny messages/s. */
export const heartbeat = seconds(2);

/** A host that misses this many heartbeats in a row loses its session. A single lost packet or a busy host must not. */
const missedHeartbeats = 3;

export const silenceLimit: Duration = milliseconds(heartbeat * missedHeartbeats);

/**
 * Time for the return of one agent. A session takes a manager 4 ms of CPU time, from the TLS handshake to the tables (`npm run
 * bench -- scale`), and some of the leader's time must be left for all other work.
 */
const returnOfOne = milliseconds(6);

/** No agent waits longer: a new leader does not judge hosts before (`grace` of controllers/gone-hosts-rule.ts). */
const longestReturn = seconds(30);

/** When all sessions of a cluster with so many hosts have ended, the agents come back within this span. */
export function returnWithin(hosts: number): Duration {
  return milliseconds(Math.min(longestReturn, hosts * returnOfOne));
}

/** How often the manager looks for silent sessions. */
export const lookEvery: Duration = milliseconds(heartbeat / 2);

/** A look that comes this much too late: the manager itself did not run. */
const stalledBy = milliseconds(500);

/** Longest wait for the Hello. An agent sends it as soon as it is connected. */
export const helloLimit = seconds(3);

/** Whether the session has been silent for too long at `now`, ms on the monotonic clock. */
export function isSilent({ lastHeard, state }: Pick<Session, 'lastHeard' | 'state'>, now: number): boolean {
  return now - lastHeard > (state.kind === 'connected' ? helloLimit : silenceLimit);
}

/**
 * Which looks for silent sessions count. After a stall of the manager, the messages of that time have arrived and are not read
 * yet: every agent would seem to be silent. So the first look after a stall does not count; the next one does, in any case.
 */
export class Looks {
  #due: number | undefined;
  #skipped = false;

  /** Whether a look at `now` counts, ms on the monotonic clock. */
  counts(now: number): boolean {
    const isLate = this.#due !== undefined && now - this.#due > stalledBy;
    this.#due = now + lookEvery;
    this.#skipped = isLate && !this.#skipped;
    return !this.#skipped;
  }
}
