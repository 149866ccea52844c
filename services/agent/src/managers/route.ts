import { isNoAnswer } from '@causeway/proto';
import { type Duration, milliseconds, minutes, seconds } from '@causeway/runtime';

/** After this host failed to reach a manager, it treats the manager as unreachable for this time. */
export const unreachedRemembered = seconds(10);

/** First pause before the agent tries to replace a relayed session by a direct one. */
const firstReturn = seconds(15);
/**
 * Longest such pause. A return can be in vain, because a path may pass only small packets, or only one direction. So each
 * return doubles the pause, and a session that lasts this long resets it.
 */
const lastReturn = minutes(5);

/** What this host knows about its paths to the managers. Times are those of the monotonic clock. */
export interface Ways {
  /** By manager that could not be reached: the time of the last attempt. */
  readonly unreached: ReadonlyMap<string, number>;
  /** Pause before the agent tries to replace a relayed session by a direct one. */
  readonly returnAfter: Duration;
}

export const noWays: Ways = { unreached: new Map(), returnAfter: firstReturn };

/** Whether the manager at `address` may relay the session: the leader may be a manager that this host cannot reach. */
export function wantsRelay(address: string, { unreached }: Ways, now: number): boolean {
  return [...unreached].some(([other, at]) => other !== address && now - at < unreachedRemembered);
}

/** To be called after a session at `address`, or an attempt to open one, has ended with `error`. */
export function learn(ways: Ways, ended: { address: string; error: unknown; lasted: Duration }, now: number): Ways {
  const unreached = new Map(ways.unreached);
  if (isNoAnswer(ended.error)) unreached.set(ended.address, now);
  else unreached.delete(ended.address);
  // A path that has held a session for so long is good.
  return { unreached, returnAfter: ended.lasted >= lastReturn ? firstReturn : ways.returnAfter };
}

/** To be called after the agent left a relayed session because it can reach the leader again. */
export function returned(ways: Ways, leader: string): Ways {
  const unreached = new Map(ways.unreached);
  unreached.delete(leader);
  return { unreached, returnAfter: milliseconds(Math.min(ways.returnAfter * 2, lastReturn)) };
}
