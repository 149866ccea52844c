import { type CausewayError, isCausewayError } from '@causeway/model';
import { formatIdentity, type Identity } from '../../call/identity.ts';
import { shortMethod } from '../../call/method.ts';
import type { Rule } from '../../call/policy.ts';
import { isAudited } from '../../events/audit.ts';
import type { RefusedCall } from '../../events/event-input.ts';

/** Takes what this manager refuses. */
export type Refused = (call: RefusedCall, error: CausewayError) => void;

interface GrpcCall {
  getPath(): string;
  getPeer(): string;
}

interface Failed<Request> {
  readonly error: unknown;
  /** Absent: the caller's certificate was refused, so only its address is known. */
  readonly peer: Identity | undefined;
  /** Absent: it was not read, or it could not be decoded. */
  readonly request: Request | undefined;
}

/** A change carries a request id. */
function isChange(request: unknown): boolean {
  return typeof request === 'object' && request !== null && 'requestId' in request;
}

/** Reports a refused call to the audit. What the leader refuses of a forwarded call, the leader reports. */
export function reportRefusal<Request>(
  refused: Refused,
  { object: naming }: Pick<Rule<Request>, 'object'>,
  call: GrpcCall,
  { error, peer, request }: Failed<Request>,
): void {
  if (!isCausewayError(error) || !isAudited(error, peer?.kind === 'operator' && isChange(request))) return;
  const subject = peer === undefined ? `unknown/${call.getPeer().replace(/:\d+$/, '')}` : formatIdentity(peer);
  const object = request === undefined ? undefined : naming?.(request);
  refused({ subject, method: shortMethod(call.getPath()), object }, error);
}
