import {
  type Certificate,
  checkPeer,
  type Expected,
  formatPeer,
  issuedAt,
  nameOf,
  type Peer,
  type Removals,
  type Role,
  type TrustBundle,
} from '@causeway/identity';
import { type LiveCredential, peerOf } from '@causeway/identity/io';
import { CausewayError, unwrap } from '@causeway/model';
import type { Clock, Duration } from '@causeway/runtime';
import type { Metadata } from '@grpc/grpc-js';
import { type Identity, identityOf } from '../../call/identity.ts';
import { callerOf, formatVoucher } from '../../call/vouching.ts';
import { FormerRoots } from './former-roots.ts';
import { splitHostPort } from './host-port.ts';

/** Metadata key with which a manager that forwards a call says from whom the call came. */
const callerKey = 'causeway-caller';

/** A certificate of any of these is accepted; the rule of each method then says who may call it. */
const roles: readonly Role[] = ['operator', 'manager', 'agent'];

export interface CallersModules {
  readonly credential: LiveCredential;
  /** The peers that were removed from the cluster, by what this manager knows now. */
  readonly removals: () => Removals;
  /** What members trust, by what this manager knows now; undefined: this manager does not know. */
  readonly roots: () => TrustBundle | undefined;
  readonly clock: Clock;
}

type IncomingCall = Parameters<typeof peerOf>[0] & { getPeer(): string };

/** Who calls this manager. */
export class Callers {
  readonly #modules: CallersModules;
  readonly #cluster: Expected['cluster'];
  readonly #formerRoots = new FormerRoots();

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
  identify(call: IncomingCall & { readonly metadata: Metadata }): Identity {
    const peer = peerOf(call);
    if (peer === undefined) return joinerOf(call);
    const { clock, removals } = this.#modules;
    unwrap(checkPeer(peer, this.expected));
    if (this.#isOfFormerRoot(peer)) throw ofFormerRoot(peer);
    const [voucher] = call.metadata.get(callerKey);
    const known = { now: clock.wall(), removals: removals() };
    return callerOf(identityOf(peer.name), typeof voucher === 'string' ? voucher : undefined, known);
  }

  /**
   * Whether a peer was removed, its certificate will have expired when the span is over, or the CA that issued it is not trusted
   * any more.
   */
  isUnwelcome(peer: Peer, span: Duration): boolean {
    const { expected } = this;
    return !checkPeer(peer, { ...expected, now: expected.now + span }).ok || this.#isOfFormerRoot(peer);
  }

  /** Asked at each call and each second of a connection: a signature is verified once for each certificate and CA. */
  #isOfFormerRoot({ certificate }: Peer): boolean {
    const { credential, roots } = this.#modules;
    return this.#formerRoots.haveIssued(certificate, { present: roots(), trusted: credential.current.trust });
  }
}

/**
 * Sets the caller in the metadata of a call that this manager forwards. The value that the caller itself sent is replaced,
 * because this manager does not vouch for it, unless another manager sent it. `now`: Unix ms.
 */
export function vouchFor(call: IncomingCall, metadata: Metadata, now: number): void {
  const peer = peerOf(call);
  if (peer?.name.role === 'manager' && metadata.get(callerKey).length > 0) return;
  const at = Math.trunc(now);
  const voucher =
    peer === undefined
      ? { caller: joinerOf(call), at }
      : { caller: identityOf(peer.name), certificate: lifeOf(peer.certificate), at };
  metadata.set(callerKey, formatVoucher(voucher));
}

function joinerOf(call: IncomingCall): Identity {
  return { kind: 'joiner', address: splitHostPort(call.getPeer()).host };
}

function lifeOf(certificate: Certificate): { readonly issued: number; readonly expires: number } {
  return { issued: issuedAt(certificate), expires: certificate.notAfter };
}

function ofFormerRoot({ name }: Peer): CausewayError {
  const message = `the certificate of ${formatPeer(name)} was issued by a CA that the cluster has replaced; to come back, it must join again with a new token`;
  return new CausewayError('certificate-untrusted', message, { peer: formatPeer(name) });
}
