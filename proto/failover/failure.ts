import { CausewayError, isCausewayError } from '@causeway/model';

/** Worth another try, elsewhere or later. */
export function isPassing(error: unknown): error is CausewayError {
  return isCausewayError(error) && error.kind === 'unavailable';
}

/** Said by gRPC, not by a server: only an error made from a bare status carries `grpcCode`. */
export function isSilence(error: unknown, code?: 'timed-out' | 'manager-unavailable'): error is CausewayError {
  return isPassing(error) && error.data['grpcCode'] !== undefined && (code === undefined || error.code === code);
}

/** The other end is there and has nobody at that port: certain, unlike silence. */
export function isRefused(error: unknown): boolean {
  return isSilence(error, 'manager-unavailable') && error.data['refused'] === true;
}

/** No connection to the server came about: it refused, or nothing came back for as long as a connection may take. */
export function isUnreachable(error: unknown): boolean {
  return isSilence(error, 'manager-unavailable');
}

/** The server that an error names as the one to ask. */
export function leaderNamed(error: unknown): string | undefined {
  const leader = isCausewayError(error, 'not-leader') ? error.data['leader'] : undefined;
  return typeof leader === 'string' && leader !== '' ? leader : undefined;
}

/** What a call failed with, of all that its tries ended with: what a server said of the matter, before silence, before no connection. */
export function mostTelling(errors: readonly CausewayError[]): CausewayError {
  const found = [...errors].sort((a, b) => rank(a) - rank(b))[0];
  return found ?? new CausewayError('timed-out', 'no answer in time', { grpcCode: 4 });
}

function rank(error: CausewayError): number {
  if (leaderNamed(error) !== undefined) return 3;
  if (!isSilence(error)) return 0;
  return error.code === 'timed-out' ? 1 : 2;
}
