import {
  CausewayError,
  type ClusterId,
  clip,
  type ErrorCode,
  type ErrorData,
  fail,
  ok,
  type Result,
} from '@causeway/model';
import { issuedAt } from './lifetimes.ts';
import { formatPeer, type PeerName, parsePeerName, type Role } from './name.ts';
import { formatTime, roughly } from './time.ts';
import { hasPin, isIssuedBy, type Pin, type TrustBundle } from './trust.ts';
import type { Certificate } from './x509/certificate.ts';

/** A peer whose certificate has been verified. */
export interface Peer {
  readonly name: PeerName;
  readonly certificate: Certificate;
}

/** What a peer must be. */
export interface Expected {
  readonly cluster: ClusterId;
  readonly roles: readonly Role[];
  readonly trust: TrustBundle;
  /** Unix ms, by the clock of this host. */
  readonly now: number;
  readonly removals?: Removals;
  /** This host's own certificate: it helps to say which clock is wrong. */
  readonly own?: Pick<Certificate, 'notBefore' | 'notAfter'>;
}

/** Peers that were removed. Their certificates are not accepted, though they are valid until they expire. */
export interface Removals {
  /** By "agent/7c0e…". */
  readonly peers: ReadonlyMap<string, PeerRemoval>;
  /** Serial numbers of single certificates, such as that of a lost laptop. */
  readonly serials: ReadonlySet<string>;
}

export interface PeerRemoval {
  /** Certificates that were issued up to then (Unix ms) are refused. */
  readonly at: number;
  /** All certificates are refused, until the peer has joined again: a manager can make itself certificates of any time. */
  readonly isUntilJoin: boolean;
}

/** Whether a certificate that was issued then (Unix ms) is refused. */
export function isRefused({ at, isUntilJoin }: PeerRemoval, issued: number): boolean {
  return isUntilJoin || issued <= at;
}

/**
 * Verifies the certificate of a peer. `chain`: what the peer has sent, its own certificate first. The error is that of the
 * first rule that is broken; the rules that explain most come first.
 */
export function verifyPeer(chain: readonly Certificate[], expected: Expected): Result<Peer, CausewayError> {
  const [certificate, ...issuers] = chain;
  const found = peerIn(certificate, expected.cluster);
  if (!found.ok) return found;
  const peer = found.value;
  const text = formatPeer(peer.name);
  const inTime = checkTime(peer.certificate, text, expected);
  if (!inTime.ok) return inTime;
  const path = pathTo(expected.trust, peer.certificate, issuers);
  if (path === undefined) return refuse('certificate-untrusted', untrusted(text, peer.certificate, expected.trust));
  for (const authority of path) {
    const authorityInTime = checkTime(authority, text, expected);
    if (!authorityInTime.ok) return authorityInTime;
  }
  return checkPeer(peer, expected);
}

/** The same for a certificate whose chain, up to a trusted root, OpenSSL has verified in the handshake. */
export function verifyTrusted(
  certificate: Certificate,
  expected: Omit<Expected, 'trust'>,
): Result<Peer, CausewayError> {
  const found = peerIn(certificate, expected.cluster);
  return found.ok ? checkPeer(found.value, expected) : found;
}

/**
 * The rules that can change while a connection lasts: the certificate may expire, the peer may be removed, and another call
 * may be for other roles. Cheap: to be asked at every call.
 */
export function checkPeer(peer: Peer, expected: Omit<Expected, 'cluster' | 'trust'>): Result<Peer, CausewayError> {
  const { name, certificate } = peer;
  const text = formatPeer(name);
  const inTime = checkTime(certificate, text, expected);
  if (!inTime.ok) return inTime;
  if (!expected.roles.includes(name.role)) {
    const message = `${text} is not allowed here: expected ${expected.roles.join(' or ')}`;
    return refuse('role-mismatch', message, { role: name.role });
  }
  // A host that finds a removed manager must not take itself for removed.
  const removal = name.role === 'manager' ? 'manager-removed' : 'node-removed';
  const removed = expected.removals?.peers.get(text);
  if (removed !== undefined && isRefused(removed, issuedAt(certificate))) {
    const message = `${text} was removed from the cluster on ${formatTime(removed.at)}; to come back, it must join again with a new token`;
    return refuse(removal, message, { peer: text });
  }
  if (expected.removals?.serials.has(certificate.serial)) {
    const message = `the certificate of ${text} with the serial number ${certificate.serial} was revoked`;
    return refuse(removal, message, { peer: text, serial: certificate.serial });
  }
  return ok(peer);
}

/**
 * Verifies a manager before this host has joined: all that the host knows is the pin in its token. The CA with the pinned key
 * is in the chain, because managers send their roots, too. The cluster is the one that the manager names.
 */
export function verifyPinned(chain: readonly Certificate[], pin: Pin, now: number): Result<Peer, CausewayError> {
  const [certificate] = chain;
  if (certificate === undefined) return refuse('certificate-missing', 'the manager has no certificate');
  const pinned = chain.filter((each) => each.isAuthority && hasPin(each, pin));
  if (pinned.length === 0) return refuse('ca-mismatch', wrongPin);
  const named = nameIn(certificate);
  if (!named.ok) return named;
  return verifyPeer(chain, { cluster: named.value.cluster, roles: ['manager'], trust: pinned, now });
}

const wrongPin =
  'this manager belongs to another cluster than the token, or another machine answers in its place: its CA is not the one that the token names; nothing was sent to it. Check the address, or create a new token';

function peerIn(certificate: Certificate | undefined, cluster: ClusterId): Result<Peer, CausewayError> {
  if (certificate === undefined) return refuse('certificate-missing', 'the peer has no certificate');
  const named = nameIn(certificate);
  if (!named.ok) return named;
  const name = named.value;
  if (name.cluster === cluster) return ok({ name, certificate });
  const message = `${formatPeer(name)} belongs to the cluster ${name.cluster}; this is the cluster ${cluster}`;
  return refuse('cluster-mismatch', message, { expected: cluster, actual: name.cluster });
}

function nameIn({ uris, isAuthority }: Certificate): Result<PeerName, CausewayError> {
  const [uri] = uris;
  if (isAuthority) return refuse('certificate-invalid', 'the certificate is of a CA, not of a peer');
  if (uris.length === 1 && uri !== undefined) return parsePeerName(uri);
  return refuse('certificate-invalid', `the certificate has ${uris.length} names of peers; expected one`);
}

/** The CAs from a trusted root to the peer's certificate. At most one CA, the next root, may stand below the trusted root. */
function pathTo(
  trust: TrustBundle,
  certificate: Certificate,
  sent: readonly Certificate[],
): readonly Certificate[] | undefined {
  const root = trust.find((each) => isIssuedBy(certificate, each));
  if (root !== undefined) return [root];
  for (const between of sent.filter((each) => each.isAuthority && isIssuedBy(certificate, each))) {
    const above = trust.find((each) => isIssuedBy(between, each));
    if (above !== undefined) return [above, between];
  }
  return undefined;
}

function checkTime(
  certificate: Certificate,
  peer: string,
  { now, own }: Pick<Expected, 'now' | 'own'>,
): Result<void, CausewayError> {
  const { notBefore, notAfter, isAuthority } = certificate;
  const what = isAuthority ? `the CA that issued the certificate of ${peer}` : `the certificate of ${peer}`;
  if (now < notBefore) {
    // What this host holds was valid when the host received it. So if it is not valid yet, this host's clock went back.
    const ownIsFuture = own !== undefined && now < own.notBefore;
    const clock = ownIsFuture
      ? `the clock of this host is at least ${roughly(own.notBefore - now)} behind, since its own certificate is not valid yet either`
      : `the clock of this host is at least ${roughly(notBefore - now)} behind, or the clock of the manager that issued it was that far ahead`;
    const message = `${what} is valid from ${formatTime(notBefore)}, and here it is ${formatTime(now)}: ${clock}`;
    return refuse('certificate-not-yet-valid', message, { peer, seconds: Math.ceil((notBefore - now) / 1_000) });
  }
  if (now <= notAfter) return ok(undefined);
  const clock =
    own !== undefined && now > own.notAfter
      ? `the clock of this host may be ahead, since its own certificate seems to have expired, too`
      : `${isAuthority ? 'rotate the CA' : 'it was not renewed in time, so its host must join again'}; or the clock of this host is that far ahead`;
  const message = `${what} expired on ${formatTime(notAfter)}, ${roughly(now - notAfter)} ago: ${clock}`;
  return refuse('certificate-expired', message, { peer, seconds: Math.ceil((now - notAfter) / 1_000) });
}

function untrusted(peer: string, { x509 }: Certificate, trust: TrustBundle): string {
  const issuer = clip(x509.issuer.replaceAll('\n', ', '));
  const roots = trust.map((each) => each.x509.subject.replaceAll('\n', ', ')).join('; ');
  return `the certificate of ${peer} was not issued by a CA of this cluster: its issuer is "${issuer}", trusted: "${roots}"`;
}

function refuse(code: ErrorCode, message: string, data?: ErrorData): Result<never, CausewayError> {
  return fail(new CausewayError(code, message, data));
}
