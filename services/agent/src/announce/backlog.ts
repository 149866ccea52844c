import type { Announcement } from '@causeway/datapath';
import type { NetworkId } from '@causeway/model';
import { type Duration, milliseconds } from '@causeway/runtime';

/** Frames that containers get per second, on all networks of the host together: a few percent of a core. */
const perSecond = 10_000;
/** Frames that containers may get at once. */
const burst = 2_000;
/** ms. After this time the kernel of a container has asked again, so that an announcement is of no more use. */
const useful = 1_000;
/** Announcements that may wait. */
const longest = 1_000;

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
  /** Frames that may be sent; less than 0 after an announcement to many containers. */
  readonly budget: number;
  /** Time of that budget, ms of the clock. */
  readonly at: number;
}

export function emptyBacklog(now: number): Backlog {
  return { waiting: [], budget: burst, at: now };
}

/** Adds announcements. `dropped`: how many of them find no room. */
export function add(
  backlog: Backlog,
  more: readonly Waiting[],
): { readonly backlog: Backlog; readonly dropped: number } {
  const taken = more.slice(0, longest - backlog.waiting.length);
  const waiting = [...backlog.waiting, ...taken];
  return { backlog: { ...backlog, waiting }, dropped: more.length - taken.length };
}

export interface Turn {
  /** To be sent now. */
  readonly send: readonly Waiting[];
  /** Number of announcements that came too late. */
  readonly dropped: number;
  readonly backlog: Backlog;
  /** Time until the next turn; undefined: nothing waits. */
  readonly wait: Duration | undefined;
}

/** Decides what is sent at this moment. The budget may be exceeded by one announcement, so that none is too large. */
export function takeTurn(backlog: Backlog, now: number): Turn {
  let budget = Math.min(burst, backlog.budget + ((now - backlog.at) * perSecond) / 1_000);
  const send: Waiting[] = [];
  const waiting: Waiting[] = [];
  let dropped = 0;
  for (const each of backlog.waiting) {
    if (now - each.due > useful) dropped++;
    else if (each.due > now || budget <= 0) waiting.push(each);
    else {
      send.push(each);
      budget -= each.receivers;
    }
  }
  const next = { waiting, budget, at: now };
  return { send, dropped, backlog: next, wait: waitOf(next) };
}

function waitOf({ waiting, budget, at }: Backlog): Duration | undefined {
  if (waiting.length === 0) return undefined;
  const first = Math.min(...waiting.map(({ due }) => due));
  const refilled = budget > 0 ? 0 : ((1 - budget) * 1_000) / perSecond;
  return milliseconds(Math.max(first - at, refilled));
}
