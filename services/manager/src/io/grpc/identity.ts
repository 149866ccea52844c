import type { Metadata } from '@grpc/grpc-js';
import { callerOf, formatIdentity, type Identity, unproved } from '../../call/identity.ts';

/** Metadata key with which a manager that forwards a call says from whom the call came. */
const callerKey = 'causeway-caller';

/**
 * Who calls. Today no connection proves an identity. Once connections do, the identity that a forwarding manager names is
 * used here, too.
 */
export function identityOf({ metadata }: { readonly metadata: Metadata }): Identity {
  const [vouched] = metadata.get(callerKey);
  return callerOf(unproved, typeof vouched === 'string' ? vouched : undefined);
}

/**
 * Sets the caller in the metadata of a call that this manager forwards. The value that the caller itself sent is removed,
 * because this manager does not vouch for it.
 */
export function vouchFor(peer: Identity, metadata: Metadata): void {
  metadata.remove(callerKey);
  if (peer.kind !== 'unproved') metadata.set(callerKey, formatIdentity(peer));
}
