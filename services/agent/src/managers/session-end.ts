import { type ErrorCode, isCausewayError, messageOf } from '@causeway/model';
import { refusalIn } from '@causeway/proto';
import { type Backoff, type Duration, delays, milliseconds, type Random, seconds } from '@causeway/runtime';

/**
 * Pause between attempts to connect. Short enough that an agent is back one second after an election; long enough for a
 * cluster of a thousand agents.
 */
const backoff: Backoff = { first: milliseconds(50), max: milliseconds(500), factor: 2 };
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

/** Errors that mean: no manager answered at the address, or the answer was late. */
const silences: ReadonlySet<string> = new Set(['manager-unavailable', 'timed-out']);

const refusals: ReadonlySet<string> = new Set<ErrorCode>([
  'cluster-mismatch',
  'node-removed',
  'role-mismatch',
  'permission-denied',
  'certificate-missing',
  'certificate-invalid',
  'certificate-untrusted',
  'certificate-expired',
  'certificate-not-yet-valid',
  'name-taken',
  'node-in-use',
  'node-removed',
  'address-in-use',
  'address-invalid',
  'invalid-argument',
  'feed-unsupported',
]);

/** How a session ended, or the attempt to open one. */
export interface SessionEnd {
  readonly address: string;
  readonly error: unknown;
  readonly isWelcomed: boolean;
  readonly lasted: Duration;
}

/** What the log says about the end of a session. */
export interface EndReport {
  readonly level: 'error' | 'warn';
  readonly event: 'session.ended' | 'manager.unreachable' | 'session.refused';
  readonly fields: { readonly manager: string; readonly code: string; readonly message: string };
}

export function reportOf({ address, error, isWelcomed }: SessionEnd): EndReport {
  const code = failureCode(error);
  return {
    level: refusals.has(code) || code === 'session-taken' || code === 'internal' ? 'error' : 'warn',
    event: isWelcomed ? 'session.ended' : silences.has(code) ? 'manager.unreachable' : 'session.refused',
    fields: { manager: address, code, message: messageOf(error) },
  };
}

/** The pauses between sessions, which grow while sessions fail. */
export class SessionPauses {
  readonly #random: Random;
  #failed: Generator<Duration, never>;
  #taken: Generator<Duration, never>;

  constructor(random: Random) {
    this.#random = random;
    this.#failed = delays(backoff, random);
    this.#taken = delays(afterTaken, random);
  }

  /** The pause after this end, before the next attempt. */
  after({ error, isWelcomed, lasted }: SessionEnd): Duration {
    if (isWelcomed) this.#failed = delays(backoff, this.#random);
    if (lasted > settled) this.#taken = delays(afterTaken, this.#random);
    const code = failureCode(error);
    if (code === 'session-taken') return this.#taken.next().value;
    return refusals.has(code) ? pauseAfterRefusal : this.#failed.next().value;
  }
}

/** The code of the manager's answer, or of this agent's own verdict about the manager. */
export function failureCode(error: unknown): string {
  const { code } = refusalIn(error) ?? (isCausewayError(error) ? error : { code: 'internal' });
  return code;
}
