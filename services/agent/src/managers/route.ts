import { isSilence } from '@causeway/proto';
import { type Duration, milliseconds, minutes, seconds } from '@causeway/runtime';

/** How long a manager that this host could not reach is taken for one that it cannot reach. */
export const unreachedRemembered = seconds(10);

/** Of a session that another manager sends on: when it is tried again without. */
const firstReturn = seconds(15);
/** A path may take small packets only, or one way only: each return that was in vain doubles the pause. */
const lastReturn = minutes(5);

/** What this host knows of its ways to the managers. Times are those of the monotonic clock. */
export interface Ways {
  /** When each manager that could not be reached was tried last. */
  readonly unreached: ReadonlyMap<string, number>;
  /** Until a relayed session is tried without a relay. */
  readonly returnAfter: Duration;
}

export const noWays: Ways = { unreached: new Map(), returnAfter: firstReturn };

/** Whether the session at `address` is one that may be sent on: the leader may be a manager that this host cannot reach. */
export function wantsRelay(address: string, { unreached }: Ways, now: number): boolean {
  return [...unreached].some(([other, at]) => other !== address && now - at < unreachedRemembered);
}

/** After a session, or a try of one, at `address` ended with `error`. */
export function learn(ways: Ways, ended: { address: string; error: unknown; lasted: Duration }, now: number): Ways {
  const unreached = new Map(ways.unreached);
  if (isSilence(ended.error)) unreached.set(ended.address, now);
  else unreached.delete(ended.address);
  // A way that has held for so long is a good one.
  return { unreached, returnAfter: ended.lasted >= lastReturn ? firstReturn : ways.returnAfter };
}

/** After a relayed session was left because its leader can be reached again. */
export function returned(ways: Ways, leader: string): Ways {
  const unreached = new Map(ways.unreached);
  unreached.delete(leader);
  return { unreached, returnAfter: milliseconds(Math.min(ways.returnAfter * 2, lastReturn)) };
}
