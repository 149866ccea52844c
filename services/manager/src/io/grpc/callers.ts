import { checkPeer, type Expected, nameOf, type Peer, type Removals, type Role } from '@causeway/identity';
import { type LiveCredential, peerOf } from '@causeway/identity/io';
import { unwrap } from '@causeway/model';
import type { Clock, Duration } from '@causeway/runtime';
import type { Metadata } from '@grpc/grpc-js';
import { callerOf, formatIdentity, type Identity, identityOf } from '../../call/identity.ts';
import { splitHostPort } from './host-port.ts';

/** Metadata key with which a manager that forwards a call says from whom the call came. */
const callerKey = 'causeway-caller';

/** A certificate of any of these is accepted; the rule of each method then says who may call it. */
const roles: readonly Role[] = ['operator', 'manager', 'agent'];

export interface CallersModules {
  readonly credential: LiveCredential;
  /** The peers that were removed from the cluster, by what this manager knows now. */
  readonly removals: () => Removals;
  readonly clock: Clock;
}

type IncomingCall = Parameters<typeof peerOf>[0] & { readonly metadata: Metadata; getPeer(): string };

/** Who calls this manager. */
export class Callers {
  readonly #modules: CallersModules;
  readonly #cluster: Expected['cluster'];

  constructor(modules: CallersModules) {
    this.#modules = modules;
    this.#cluster = nameOf(modules.credential.current).cluster;
  }

  /** What a caller must be that shows a certificate. */
  get expected(): Expected {
    const { credential, removals, clock } = this.#modules;
    const { chain, trust } = credential.current;
    return { cluster: this.#cluster, roles, trust, now: clock.wall(), removals: removals(), own: chain[0] };
  }

  /** @throws CausewayError the rule that the caller's certificate breaks by now */
  identify(call: IncomingCall): Identity {
    const peer = peerOf(call);
    if (peer === undefined) return { kind: 'joiner', address: splitHostPort(call.getPeer()).host };
    unwrap(checkPeer(peer, this.expected));
    const [vouched] = call.metadata.get(callerKey);
    return callerOf(identityOf(peer.name), typeof vouched === 'string' ? vouched : undefined);
  }

  /** Whether a peer was removed, or its certificate will have expired when the span is over. */
  isUnwelcome(peer: Peer, span: Duration): boolean {
    const { expected } = this;
    return !checkPeer(peer, { ...expected, now: expected.now + span }).ok;
  }
}

/**
 * Sets the caller in the metadata of a call that this manager forwards. The value that the caller itself sent is replaced,
 * because this manager does not vouch for it.
 */
export function vouchFor(peer: Identity, metadata: Metadata): void {
  metadata.set(callerKey, formatIdentity(peer));
}
