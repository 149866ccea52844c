import { CausewayError, type ErrorCode, messageOf } from '@causeway/model';
import { type ServiceError, status } from '@grpc/grpc-js';
import { leaseGone } from '../../store/check.ts';

/**
 * Errors that etcd returns before it proposes anything: nothing was written, for certain. The texts are those of etcd's
 * api/v3rpc/rpctypes/error.go, which clients match by design. After any other error the outcome of a write is unknown.
 */
const refusals: readonly (readonly [text: string, code: ErrorCode, advice: string])[] = [
  ['too many requests', 'store-unavailable', 'etcd is overloaded, try again'],
  ['no leader', 'store-unavailable', 'etcd has no leader: is a majority of its members up?'],
  ['rpc not supported for learner', 'store-unavailable', 'this etcd member is a learner: name voting members'],
  ['not capable', 'store-unavailable', 'the etcd cluster is still starting or being upgraded'],
  [
    'database space exceeded',
    'disk-full',
    'etcd is over its space quota: nothing can be added until there is room again; the managers compact and defragment it by themselves; if that is not enough, delete something or raise its quota',
  ],
  ['too many learner members', 'store-unavailable', 'another etcd member is joining'],
  ['Peer URLs already exists', 'store-unavailable', 'etcd has a member at that address already'],
  ['unhealthy cluster', 'quorum-loss', 'etcd refuses, too few of its members are connected'],
  ['not enough started members', 'quorum-loss', 'etcd refuses, too few of its members have started'],
  ['request is too large', 'message-too-large', 'the request is larger than etcd accepts (1.5 MiB)'],
  ['received message larger than max', 'message-too-large', 'the request is larger than etcd accepts (1.5 MiB)'],
];

/** A failed read, lease or status call: it wrote nothing, whatever went wrong. */
export function readFailure(error: unknown, what: string): CausewayError {
  return (
    refusal(error, what) ?? new CausewayError('store-unavailable', `${what}: ${text(error)}`, {}, { cause: error })
  );
}

/**
 * A transaction or a change of members that was sent: "timed-out" (outcome unknown), unless etcd's own answer says that
 * it did nothing.
 */
export function writeFailure(error: unknown, what = 'etcd transaction'): CausewayError {
  return (
    refusal(error, what) ??
    new CausewayError('timed-out', `${what}, outcome unknown: ${text(error)}`, {}, { cause: error })
  );
}

/** The history or the revision that was asked for has been compacted away. */
export function isCompacted(error: unknown): boolean {
  return isServiceError(error) && error.code === status.OUT_OF_RANGE && error.details.includes('has been compacted');
}

export function isLeaseUnknown(error: unknown): boolean {
  return isServiceError(error) && error.details.includes('requested lease not found');
}

export function isMemberUnknown(error: unknown): boolean {
  return isServiceError(error) && error.details.includes('member not found');
}

/** The learner has not caught up. */
export function isNotInSync(error: unknown): boolean {
  return isServiceError(error) && error.details.includes('in sync with leader');
}

/** The member is a voter already. */
export function isNoLearner(error: unknown): boolean {
  return isServiceError(error) && error.details.includes('can only promote a learner');
}

/** Worth another try at another member: the cause is the state of the member, not the request. */
export function isTransient(error: unknown): boolean {
  return !isServiceError(error) || transientCodes.has(error.code);
}

const transientCodes: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.UNKNOWN]);

function refusal(error: unknown, what: string): CausewayError | undefined {
  if (error instanceof CausewayError) return error;
  if (!isServiceError(error)) return undefined;
  const message = error.details;
  if (isLeaseUnknown(error)) return leaseGone(`${what}: its lease`, error);
  for (const [match, code, advice] of refusals)
    if (message.includes(match)) return new CausewayError(code, `${what}: ${advice}`, {}, { cause: error });
  switch (error.code) {
    case status.UNAUTHENTICATED:
    case status.PERMISSION_DENIED:
      return new CausewayError('permission-denied', `${what}: ${message}`, {}, { cause: error });
    case status.INVALID_ARGUMENT:
      return new CausewayError('invalid-argument', `${what}: ${message}`, {}, { cause: error });
    default:
      return undefined;
  }
}

export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && typeof error.details === 'string';
}

function text(error: unknown): string {
  if (isServiceError(error)) return error.details;
  return messageOf(error);
}
