import { type Backoff, type Duration, delays, milliseconds, type Random, seconds } from '@causeway/runtime';
import { failureCode, isRefusal, type SessionEnd } from './session-end.ts';

/** Pause between attempts to connect. Short enough that an agent of a small cluster is back one second after an election. */
const backoff: Backoff = { first: milliseconds(50), max: milliseconds(500), factor: 2 };
/** How often each manager is tried in a row: one may name a leader that is gone, and another manager is being elected. */
const triesOfEach = 2;
/** Pause after an answer that does not change by itself, such as that of another cluster's manager. */
const pauseAfterRefusal = seconds(5);
/**
 * Pause after another agent with the same identity took the session. The pause grows, so that each of the two agents
 * keeps the session for a while.
 */
const afterTaken: Backoff = { first: seconds(1), max: seconds(60), factor: 2 };
/**
 * A session that lasts this long was not taken, so the pause starts small again. Longer than the longest pause with
 * jitter.
 */
const settled = seconds(180);

export interface SessionPause {
  /** `turn`: the agent waits for its turn among the agents of the cluster. An attach that needs a session ends this pause. */
  readonly kind: 'pause' | 'turn';
  readonly span: Duration;
}

/**
 * The pauses between sessions.
 *
 * In a large cluster all agents lose their sessions together, and a manager takes milliseconds for each that comes back. So
 * the managers name a span, `returnWithin`, that is long enough for all agents. Each agent comes back at a random time within it:
 *
 *     session ends ── random part of the span ──▶ some tries ── whole span ──▶ some tries ── whole span ──▶ …
 *
 * So the attempts of all agents stay evenly spread, also when no manager runs for a long time and then all of them start.
 */
export class SessionPauses {
  readonly #random: Random;
  /** How many managers the agent knows. */
  readonly #managers: () => number;
  #returnWithin = milliseconds(0);
  /** Attempts in a row. */
  #tries = 0;
  #failed: Generator<Duration, never>;
  #taken: Generator<Duration, never>;

  constructor(random: Random, managers: () => number) {
    this.#random = random;
    this.#managers = managers;
    this.#failed = delays(backoff, random);
    this.#taken = delays(afterTaken, random);
  }

  /** A session has begun. The span holds until another session begins. */
  welcomed(returnWithin: Duration): void {
    this.#returnWithin = returnWithin;
    this.#tries = 0;
    this.#failed = delays(backoff, this.#random);
  }

  /** The pause after this end, before the next attempt. `isAwaited`: attaches wait for a session. */
  after({ error, isWelcomed, isLeft, lasted }: SessionEnd, isAwaited: boolean): SessionPause {
    if (lasted > settled) this.#taken = delays(afterTaken, this.#random);
    const code = failureCode(error);
    if (code === 'session-taken') return { kind: 'pause', span: this.#taken.next().value };
    if (isRefusal(code)) return { kind: 'pause', span: pauseAfterRefusal };
    const short: SessionPause = { kind: 'pause', span: this.#failed.next().value };
    if (isLeft || isAwaited || this.#returnWithin <= backoff.max) return short;
    if (isWelcomed) return { kind: 'turn', span: milliseconds(this.#returnWithin * this.#random.float()) };
    this.#tries += 1;
    const isOver = this.#tries % (this.#managers() * triesOfEach) === 0;
    return isOver ? { kind: 'turn', span: this.#returnWithin } : short;
  }
}
