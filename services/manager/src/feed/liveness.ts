import { type Duration, milliseconds, seconds } from '@causeway/runtime';
import type { Session } from './session.ts';

/** How often an agent says something at least. Shorter finds dead hosts sooner; 1,000 hosts cost 500 tiny messages/s. */
export const heartbeat = seconds(2);

/** A host that missed this many heartbeats in a row has lost its session: one lost packet or a busy host is not death. */
export const missedHeartbeats = 3;

export const silenceLimit: Duration = milliseconds(heartbeat * missedHeartbeats);

/** An agent says Hello as soon as it is connected. */
export const helloLimit = seconds(3);

/** Whether it has been silent for longer than a session may be, at time `now` on the monotonic clock. */
export function isSilent({ lastHeard, state }: Pick<Session, 'lastHeard' | 'state'>, now: number): boolean {
  return now - lastHeard > (state.kind === 'connected' ? helloLimit : silenceLimit);
}
