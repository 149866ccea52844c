import { type Duration, milliseconds } from '@causeway/runtime';

/*
 * Which server a call asks next, and when it stops waiting for the one it asked. All of it is decided here, from values.
 */

/** Before a second server is asked for what can be read anywhere: longer than an answer takes, too short to be noticed. */
export const hedgeRead = milliseconds(300);

/** The same of a change. It is safe under the same request id, but costs the managers a second look at it. */
export const hedgeWrite = milliseconds(1_000);

/** Pause after a round in which no server could serve. An election takes longer, a lost packet not. */
export const pauseBetweenRounds = milliseconds(100);

/** How long a server that was silent is asked after all others: afterwards it may be as good as they are. */
export const silenceRemembered = milliseconds(10_000);

/** What the servers have shown, on the caller's monotonic clock. */
export interface Memory {
  /** Who answered last, or was named as the one to ask. */
  readonly preferred: string;
  /** Since when each that did not answer has not. */
  readonly silent: ReadonlyMap<string, number>;
}

/** A call under way. */
export interface Progress {
  readonly began: number;
  readonly deadline: number;
  /** Tries without an end, by server: when they began. */
  readonly underWay: ReadonlyMap<string, number>;
  /** Asked in this round, under way or ended without an answer. */
  readonly asked: ReadonlySet<string>;
  /** When the last try of this round ended; absent: none has. */
  readonly lastEnd?: number;
  /** All servers refuse connections since then, which is to know, not to guess; absent: not all do. */
  readonly refusedSince?: number;
}

export interface Policy {
  /** Without an answer for so long the next server is asked too; absent: a call that may take long, which only the connection ends. */
  readonly hedgeAfter?: Duration | undefined;
  /** A call ends when all refuse connections for so long; absent: they may be starting, so it does not. */
  readonly endWhenRefused?: Duration | undefined;
}

export type Step =
  | { readonly step: 'ask'; readonly server: string }
  | { readonly step: 'wait'; readonly until: number }
  /** Everything was asked: begin anew. */
  | { readonly step: 'next-round' }
  | { readonly step: 'end'; readonly why: 'deadline' | 'refused' };

/** The preferred server, the others in their order, and at the end those that were silent lately, the longest silent first. */
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
    // Those that did answer, and could not serve, may be able to by now.
    if (call.underWay.size === servers.length || call.lastEnd === undefined) return wait(call.deadline, call);
  }
  if (next !== undefined) return { step: 'ask', server: next };
  const pauseEnds = (call.lastEnd ?? now) + pauseBetweenRounds;
  return now >= pauseEnds ? { step: 'next-round' } : wait(pauseEnds, call);
}

function wait(until: number, { deadline }: Progress): Step {
  return { step: 'wait', until: Math.min(until, deadline) };
}
