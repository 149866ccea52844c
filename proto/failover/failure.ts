import { CausewayError, isCausewayError } from '@causeway/model';

/** Whether another try may help, on another server or later. */
export function isTransient(error: unknown): error is CausewayError {
  return isCausewayError(error) && error.kind === 'unavailable';
}

/** Whether gRPC reported the error, not a server: only an error made from a bare status has `grpcCode`. */
export function isNoAnswer(error: unknown, code?: 'timed-out' | 'manager-unavailable'): error is CausewayError {
  return isTransient(error) && error.data['grpcCode'] !== undefined && (code === undefined || error.code === code);
}

/** The machine answers, but no server listens at the port. This is certain, unlike silence. */
export function isRefused(error: unknown): error is CausewayError {
  return isNoAnswer(error, 'manager-unavailable') && error.data['refused'] === true;
}

/** No connection to the server was made: it was refused, or there was no answer within the time for connecting. */
export function isUnreachable(error: unknown): boolean {
  return isNoAnswer(error, 'manager-unavailable');
}

/** Why the client itself has refused the server; undefined: it has not. */
export function refusalIn(error: unknown): CausewayError | undefined {
  return isRefused(error) && isCausewayError(error.cause) ? error.cause : undefined;
}

/** The address of the leader, if the error names it. */
export function leaderNamed(error: unknown): string | undefined {
  const leader = isCausewayError(error, 'not-leader') ? error.data['leader'] : undefined;
  return typeof leader === 'string' && leader !== '' ? leader : undefined;
}

/** The most useful of the errors of a call's tries. Order: an answer of a server, a refused certificate, silence, no connection. */
export function mostUseful(errors: readonly CausewayError[]): CausewayError {
  const found = [...errors].sort((a, b) => rank(a) - rank(b))[0];
  return found ?? new CausewayError('timed-out', 'no answer in time', { grpcCode: 4 });
}

function rank(error: CausewayError): number {
  if (leaderNamed(error) !== undefined) return 4;
  if (!isNoAnswer(error)) return 0;
  if (refusalIn(error) !== undefined) return 1;
  return error.code === 'timed-out' ? 2 : 3;
}
