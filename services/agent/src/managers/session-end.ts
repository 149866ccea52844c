import { type ErrorCode, isCausewayError, messageOf } from '@causeway/model';
import { refusalIn } from '@causeway/proto';
import type { Duration } from '@causeway/runtime';

/** Errors that mean: no manager answered at the address, or the answer was late. */
const silences: ReadonlySet<string> = new Set(['manager-unavailable', 'timed-out']);

/** Answers that do not change by themselves, such as that of another cluster's manager. */
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
  /** The agent has left the session by itself, for one with the leader. */
  readonly isLeft: boolean;
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
    level: isRefusal(code) || code === 'session-taken' || code === 'internal' ? 'error' : 'warn',
    event: isWelcomed ? 'session.ended' : silences.has(code) ? 'manager.unreachable' : 'session.refused',
    fields: { manager: address, code, message: messageOf(error) },
  };
}

export function isRefusal(code: string): boolean {
  return refusals.has(code);
}

/** The code of the manager's answer, or of this agent's own verdict about the manager. */
export function failureCode(error: unknown): string {
  const { code } = refusalIn(error) ?? (isCausewayError(error) ? error : { code: 'internal' });
  return code;
}
