import type { Metadata } from '@grpc/grpc-js';
import { callerOf, formatIdentity, type Identity, unproved } from '../../call/identity.ts';

/** Metadata in which a manager that sends a call on says from whom the call came. */
const callerKey = 'causeway-caller';

/** Who calls. No connection proves anything yet; once one does, what a manager vouches for counts here, too. */
export function identityOf({ metadata }: { readonly metadata: Metadata }): Identity {
  const [vouched] = metadata.get(callerKey);
  return callerOf(unproved, typeof vouched === 'string' ? vouched : undefined);
}

/** Metadata of a call that this manager sends on. What the caller itself has said there is no word of this manager's. */
export function vouchFor(peer: Identity, metadata: Metadata): void {
  metadata.remove(callerKey);
  if (peer.kind !== 'unproved') metadata.set(callerKey, formatIdentity(peer));
}
