import type { CausewayError, Result } from '@causeway/model';

/** For tables: "accepted", or the code and the message of the error. */
export function outcome(result: Result<unknown, CausewayError>): string {
  return result.ok ? 'accepted' : `${result.error.code}: ${result.error.message}`;
}

/** Everything that a person or a log may see of an error, with its causes. */
export function allTextOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const data = 'data' in error ? JSON.stringify(error.data) : '';
  return [error.message, error.stack, data, error.cause === undefined ? '' : allTextOf(error.cause)].join('\n');
}
