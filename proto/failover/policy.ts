import { type Duration, milliseconds } from '@causeway/runtime';

/*
 * Decides which server a call asks next, and when it stops waiting for a server. All decisions are made here, from values.
 */

/** How long a read waits before it asks a second server: longer than an answer takes, too short to be noticed. */
export const hedgeRead = milliseconds(300);

/** The same for a change. With the same request id a second try is safe, but it costs the managers a second check. */
export const hedgeWrite = milliseconds(1_000);

/** Pause after a round in which no server could serve. An election takes longer, the loss of a packet does not. */
const pauseBetweenRounds = milliseconds(100);

/** How long a silent server is asked after all others. Afterwards it may work again. */
export const silenceRemembered = milliseconds(10_000);

/** What earlier calls have shown of the servers. Times are the caller's monotonic clock, ms. */
export interface Memory {
  /** The server that answered last, or was named as leader. */
  readonly preferred: string;
  /** Servers that did not answer, with the time since when. */
  readonly silent: ReadonlyMap<string, number>;
}

/** A call under way. */
export interface Progress {
  readonly began: number;
  readonly deadline: number;
  /** Tries that have not ended, by server: when they began. */
  readonly underWay: ReadonlyMap<string, number>;
  /** Servers that were asked in this round: their tries are under way, or ended without an answer. */
  readonly asked: ReadonlySet<string>;
  /** When the last try of this round ended; absent: no try has ended. */
  readonly lastEnd?: number;
  /** Since when all servers have refused connections, which is certain, not guessed; absent: not all refuse. */
  readonly refusedSince?: number;
}

export interface Policy {
  /**
   * After this time without an answer the next server is asked too; absent: the call may take long, and only the
   * connection ends it.
   */
  readonly hedgeAfter?: Duration | undefined;
  /**
   * The call ends when all servers have refused connections for this long; absent: it does not, as servers may be
   * starting.
   */
  readonly endWhenRefused?: Duration | undefined;
}

export type Step =
  | { readonly step: 'ask'; readonly server: string }
  | { readonly step: 'wait'; readonly until: number }
  /** Every server was asked: begin again. */
  | { readonly step: 'next-round' }
  | { readonly step: 'end'; readonly why: 'deadline' | 'refused' };

/**
 * The preferred server, then the others in their order. Servers that were silent lately come last, the longest silent
 * first.
 */
export function order(servers: readonly string[], { preferred, silent }: Memory, now: number): readonly string[] {
  const since = (server: string): number | undefined => {
    const at = silent.get(server);
    return at !== undefined && now - at < silenceRemembered ? at : undefined;
  };
  const all = [preferred, ...servers.filter((server) => server !== preferred)];
  const talking = all.filter((server) => since(server) === undefined);
  const mute = all.filter((server) => since(server) !== undefined);
  return [...talking, ...mute.sort((a, b) => (since(a) ?? 0) - (since(b) ?? 0))];
}

/** What a call does next. `servers` are in the order of `order`. */
export function nextStep(servers: readonly string[], call: Progress, policy: Policy, now: number): Step {
  if (now >= call.deadline) return { step: 'end', why: 'deadline' };
  if (call.refusedSince !== undefined && policy.endWhenRefused !== undefined) {
    if (now - call.refusedSince >= policy.endWhenRefused) return { step: 'end', why: 'refused' };
  }
  const next = servers.find((server) => !call.asked.has(server));
  if (call.underWay.size > 0) {
    if (policy.hedgeAfter === undefined) return { step: 'wait', until: call.deadline };
    const due = Math.max(...call.underWay.values()) + policy.hedgeAfter;
    if (next !== undefined) return now >= due ? { step: 'ask', server: next } : wait(due, call);
    // Servers that answered, but could not serve, may be able to serve now.
    if (call.underWay.size === servers.length || call.lastEnd === undefined) return wait(call.deadline, call);
  }
  if (next !== undefined) return { step: 'ask', server: next };
  const pauseEnds = (call.lastEnd ?? now) + pauseBetweenRounds;
  return now >= pauseEnds ? { step: 'next-round' } : wait(pauseEnds, call);
}

function wait(until: number, { deadline }: Progress): Step {
  return { step: 'wait', until: Math.min(until, deadline) };
}
