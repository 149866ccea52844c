import { type Duration, milliseconds, seconds } from '@causeway/runtime';
import type { Session } from './session.ts';

/** Longest time between messages of an agent. Shorter finds dead hosts sooner; 1,000 hosts cost 500 tiny messages/s. */
export const heartbeat = seconds(2);

/** A host that misses this many heartbeats in a row loses its session. A single lost packet or a busy host must not. */
export const missedHeartbeats = 3;

export const silenceLimit: Duration = milliseconds(heartbeat * missedHeartbeats);

/** Longest wait for the Hello. An agent sends it as soon as it is connected. */
export const helloLimit = seconds(3);

/** Whether the session has been silent for too long at `now`, ms on the monotonic clock. */
export function isSilent({ lastHeard, state }: Pick<Session, 'lastHeard' | 'state'>, now: number): boolean {
  return now - lastHeard > (state.kind === 'connected' ? helloLimit : silenceLimit);
}
