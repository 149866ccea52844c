import { formatTime, isRefused, type Removals } from '@causeway/identity';
import { CausewayError, parseNodeId } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { formatIdentity, type Identity } from './identity.ts';

/** What a manager says about the caller of a call that it forwards. */
export interface Voucher {
  readonly caller: Identity;
  /** The life of the caller's certificate; absent: the caller is a joiner. */
  readonly certificate?: Life;
  /** When the manager said this, by its clock, Unix ms. */
  readonly at: number;
}

/** Unix ms. */
interface Life {
  readonly issued: number;
  readonly expires: number;
}

/** What the manager that gets the call knows itself. */
export interface Known {
  /** Unix ms. */
  readonly now: number;
  readonly removals: Removals;
}

/**
 * How old a voucher may be. A call is forwarded at once, so the time is for clocks: certificates forgive as much
 * (`backdating`). It bounds what a manager that was paused, or copies of its messages, can bring about.
 */
const voucherLife = minutes(10);

/** As metadata: printable ASCII. */
export function formatVoucher({ caller, certificate, at }: Voucher): string {
  const life = certificate === undefined ? [] : [certificate.issued, certificate.expires];
  return [formatIdentity(caller), at, ...life].join(' ');
}

/**
 * Who a call is from. A manager that forwards a call says from whom the call came (`voucher`). Only a manager is believed: from
 * any other peer this metadata is ignored. What this manager knows itself counts, too: its view may be newer than that of the
 * manager that has verified the caller.
 * @throws CausewayError permission-denied: no voucher of this version, or an old one; certificate-expired, node-removed
 */
export function callerOf(peer: Identity, voucher: string | undefined, known: Known): Identity {
  if (peer.kind !== 'manager' || voucher === undefined) return peer;
  const { caller, certificate, at } = parseVoucher(voucher);
  const away = Math.abs(known.now - at);
  if (!(away <= voucherLife)) throw tooOld(at, known.now);
  if (caller.kind !== 'joiner') checkCertificate(formatIdentity(caller), certificate, known);
  return caller;
}

function checkCertificate(caller: string, life: Life | undefined, { now, removals }: Known): void {
  if (life === undefined) throw unvouched();
  if (now > life.expires)
    throw new CausewayError(
      'certificate-expired',
      `the certificate of ${caller} expired on ${formatTime(life.expires)}`,
    );
  const removed = removals.peers.get(caller);
  if (removed === undefined || !isRefused(removed, life.issued)) return;
  const message = `${caller} was removed from the cluster on ${formatTime(removed.at)}; to come back, it must join again with a new token`;
  throw new CausewayError('node-removed', message, { peer: caller });
}

/** @throws CausewayError permission-denied */
function parseVoucher(text: string): Voucher {
  const pattern = /^(joiner|operator|agent|manager)\/(\S+) (\d{1,15})(?: (\d{1,15}) (\d{1,15}))?$/;
  const [, kind = '', name = '', at, issued, expires] = pattern.exec(text) ?? [];
  const caller = identityIn(kind, name);
  if (caller === undefined) throw unvouched();
  const certificate = issued === undefined ? undefined : { issued: Number(issued), expires: Number(expires) };
  return { caller, at: Number(at), ...(certificate !== undefined && { certificate }) };
}

function identityIn(kind: string, name: string): Identity | undefined {
  if (kind === 'joiner') return { kind, address: name };
  if (kind === 'operator' || kind === 'manager') return { kind, name };
  const node = parseNodeId(name);
  return kind === 'agent' && node.ok ? { kind, node: node.value } : undefined;
}

function unvouched(): CausewayError {
  return new CausewayError('permission-denied', 'a manager forwarded the call without the identity of the caller');
}

function tooOld(at: number, now: number): CausewayError {
  const message = `a manager forwarded the call at ${formatTime(at)}, and here it is ${formatTime(now)}: set the clocks of all managers by NTP`;
  return new CausewayError('permission-denied', message);
}
