import type { Announcement } from '@causeway/datapath';
import type { NetworkId } from '@causeway/model';
import { type Duration, milliseconds } from '@causeway/runtime';

/**
 * Budget per second, on all networks of the host together: about half a percent of a core. Counted in frames that
 * containers get, because the work of a flooded frame grows with its receivers.
 */
const perSecond = 1_000;
/** Budget after a rest. Enough for the announcement of one address to the containers of a full host. */
const burst = 500;
/** What an announcement costs besides its frames: the entry of the bridge, the look-up of the bridge, a turn of the loop. */
const overhead = 20;
/** ms. After this time the kernel of a container has asked again, so that an announcement is of no more use. */
const useful = 1_000;
/** Announcements that may wait. The budget never suffices for more of them within their time. */
const longest = (perSecond + burst) / overhead;

export interface Waiting {
  readonly networkId: NetworkId;
  readonly announcement: Announcement;
  /** Number of containers that get the announcement. */
  readonly receivers: number;
  /** Time from which the announcement may be sent, ms of the clock. */
  readonly due: number;
}

/** Announcements that wait, in the order in which they came, and the budget of a token bucket. */
export interface Backlog {
  readonly waiting: readonly Waiting[];
  /** Less than 0 after an announcement to many containers. */
  readonly budget: number;
  /** Time of that budget, ms of the clock. */
  readonly at: number;
}

export function emptyBacklog(now: number): Backlog {
  return { waiting: [], budget: burst, at: now };
}

/** Adds announcements. `dropped`: how many find no room, the oldest first. */
export function add(
  backlog: Backlog,
  more: readonly Waiting[],
): { readonly backlog: Backlog; readonly dropped: number } {
  const all = [...backlog.waiting, ...more];
  const waiting = all.slice(-longest);
  return { backlog: { ...backlog, waiting }, dropped: all.length - waiting.length };
}

export interface Turn {
  /** To be sent now, the newest first. */
  readonly send: readonly Waiting[];
  /** Number of announcements that came too late. */
  readonly dropped: number;
  readonly backlog: Backlog;
  /** Time until the next turn; undefined: nothing waits. */
  readonly wait: Duration | undefined;
}

/**
 * Decides what is sent at this moment. The newest go first: in a long burst the budget suffices for a part only, and the
 * oldest first would mean that each is sent when the containers are about to ask again anyway. The budget may be exceeded
 * by one announcement, so that none is too large.
 */
export function takeTurn(backlog: Backlog, now: number): Turn {
  let budget = Math.min(burst, backlog.budget + ((now - backlog.at) * perSecond) / 1_000);
  const send: Waiting[] = [];
  const waiting: Waiting[] = [];
  let dropped = 0;
  for (const each of backlog.waiting.toReversed()) {
    if (now - each.due > useful) dropped++;
    else if (each.due > now || budget <= 0) waiting.push(each);
    else {
      send.push(each);
      budget -= overhead + each.receivers;
    }
  }
  const next = { waiting: waiting.reverse(), budget, at: now };
  return { send, dropped, backlog: next, wait: waitOf(next) };
}

function waitOf({ waiting, budget, at }: Backlog): Duration | undefined {
  if (waiting.length === 0) return undefined;
  const first = Math.min(...waiting.map(({ due }) => due));
  const refilled = budget > 0 ? 0 : ((1 - budget) * 1_000) / perSecond;
  return milliseconds(Math.max(first - at, refilled));
}
