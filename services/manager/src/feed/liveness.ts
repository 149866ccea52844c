import { type Duration, milliseconds, seconds } from '@causeway/runtime';

/** How often an agent says something at least. Shorter finds dead hosts sooner; 1,000 hosts cost 500 tiny messages/s. */
export const heartbeat = seconds(2);

/** A host that missed this many heartbeats in a row has lost its session: one lost packet or a busy host is not death. */
export const missedHeartbeats = 3;

export const silenceLimit: Duration = milliseconds(heartbeat * missedHeartbeats);

/** An agent says Hello as soon as it is connected. */
export const greetingLimit = seconds(3);

export interface Heard {
  /** When anything last came, at first when it connected: on the monotonic clock. */
  readonly lastHeard: number;
  /** Hello has come. */
  readonly isGreeted: boolean;
}

/** What has been silent for longer than a session may be, at time `now` on the monotonic clock. */
export function silent<Of extends Heard>(sessions: Iterable<Of>, now: number): Of[] {
  return Array.from(sessions).filter(({ lastHeard, isGreeted }) => now - lastHeard > limitOf(isGreeted));
}

function limitOf(isGreeted: boolean): Duration {
  return isGreeted ? silenceLimit : greetingLimit;
}
