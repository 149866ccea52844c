import { type CausewayError, isCausewayError } from '@causeway/model';
import { formatIdentity, type Identity } from '../../call/identity.ts';
import { shortMethod } from '../../call/method.ts';
import { isAudited } from '../../events/audit.ts';
import type { Refusal } from '../../events/event-input.ts';

/** Takes what this manager refuses. */
export type Refused = (caller: Pick<Refusal, 'subject' | 'method'>, error: CausewayError) => void;

interface RefusedCall {
  getPath(): string;
  getPeer(): string;
}

/** A change carries a request id. */
function isChange(request: unknown): boolean {
  return typeof request === 'object' && request !== null && 'requestId' in request;
}

/**
 * Reports a refused call to the audit. `peer`: undefined: the caller's certificate was refused, so only its address is known.
 * What the leader refuses of a forwarded call, the leader reports.
 */
export function reportRefusal(
  refused: Refused,
  call: RefusedCall,
  { error, peer, request }: { readonly error: unknown; readonly peer: Identity | undefined; readonly request: unknown },
): void {
  if (!isCausewayError(error) || !isAudited(error, peer?.kind === 'operator' && isChange(request))) return;
  const subject = peer === undefined ? `unknown/${call.getPeer().replace(/:\d+$/, '')}` : formatIdentity(peer);
  refused({ subject, method: shortMethod(call.getPath()) }, error);
}
