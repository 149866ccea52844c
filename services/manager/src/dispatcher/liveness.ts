import { type Duration, milliseconds, seconds } from '@causeway/runtime';

/** How often an agent says something at least. Shorter finds dead hosts sooner; 1,000 hosts cost 500 tiny messages/s. */
export const heartbeat = seconds(2);

/** A host that missed this many heartbeats in a row has lost its session: one lost packet or a busy host is not death. */
export const missedHeartbeats = 3;

export const silenceLimit: Duration = milliseconds(heartbeat * missedHeartbeats);

/** What has been silent for longer than a session may be, at time `now` on the monotonic clock. */
export function silent<Of extends { readonly lastHeard: number }>(sessions: Iterable<Of>, now: number): Of[] {
  return Array.from(sessions).filter((session) => now - session.lastHeard > silenceLimit);
}
