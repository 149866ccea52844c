import {
  type Certificate,
  formatCertificates,
  formatPeer,
  formatTime,
  issuedAt,
  longestLife,
  type PeerName,
  publicKeyOf,
  toBase64,
} from '@causeway/identity';
import { CausewayError } from '@causeway/model';
import type { Ca } from '../store/records/ca.ts';
import type { CertificateRecord } from '../store/records/certificate.ts';
import { type JsonObject, text } from '../store/records/codec.ts';
import { records } from '../store/records/index.ts';
import type { Compare, Write } from '../store/store.ts';
import type { Versioned, View } from '../store/view.ts';
import type { Planning, Request } from './intent.ts';

/** What a member of the cluster is called in records and in certificates. */
export type Member = Pick<PeerName, 'role' | 'id'>;

/** A certificate that was made but not given to its holder yet: it is given when its record is in the store. */
export interface Issued {
  readonly to: Member;
  /** DNS names and IP addresses in it. */
  readonly hosts: readonly string[];
  readonly certificate: Certificate;
  /** The CA that made it. */
  readonly ca: Versioned<Ca>;
}

/**
 * Most certificates of a manager that are valid at a time. A manager has two or three; each must be named in the lists of all
 * etcds if the manager is removed.
 */
const mostValid = 32;

type IssuedBy = Omit<Issued, 'ca'> & { readonly ca: Pick<Versioned<Ca>, 'value'> };

/** What the holder of a new certificate gets. */
export interface Granted extends Member {
  /** The certificate, and what the holder sends with it, in PEM. */
  readonly chain: string;
}

export const grantedOutcome: Request<Granted>['outcome'] = {
  toJson: ({ role, id, chain }): JsonObject => ({ role, id, chain }),
  fromJson: (json) => ({
    role: text(json, 'role') as Granted['role'],
    id: text(json, 'id'),
    chain: text(json, 'chain'),
  }),
};

export function grantedOf({ to: { role, id }, certificate, ca: { value } }: Issued): Granted {
  const chain = value.crossSigned === undefined ? [certificate] : [certificate, value.crossSigned];
  return { role, id, chain: formatCertificates(chain) };
}

/**
 * Records the certificate, on condition that the CA and the member's record are as they were.
 * @throws CausewayError busy: the certificate was made for a state that is past; make another
 */
export function recordIssued(
  issued: Issued | undefined,
  to: Member,
  name: string,
  { view, keys, clock }: Pick<Planning, 'view' | 'keys' | 'clock'>,
): { readonly issued: Issued; readonly compares: readonly Compare[]; readonly writes: readonly Write[] } {
  const { ca } = view;
  const isForMember = issued !== undefined && formatPeer(issued.to) === formatPeer(to);
  if (!isForMember || issued.ca.revision !== ca?.revision)
    throw new CausewayError('busy', 'another change of the cluster came first: try again', {});
  const key = keys.certificate(to.role, to.id);
  const known = view.records('certificate').get(to);
  const former = to.role === 'manager' ? formerOf(known?.value, clock.wall()) : undefined;
  const record = recordOf(issued, name);
  // A removal refuses what was issued up to then: also an earlier certificate, of a leader whose clock was ahead of this one's.
  const latest = Math.max(record.issued, known?.value.issued ?? 0);
  const value = { ...record, issued: latest, ...(former !== undefined && { former }) };
  return {
    issued,
    compares: [
      { kind: 'unchanged', key: keys.ca, modRevision: ca.revision },
      known === undefined ? { kind: 'absent', key } : { kind: 'unchanged', key, modRevision: known.revision },
    ],
    writes: [{ kind: 'put', key, value: records.certificate.codec.encode(value, known?.original) }],
  };
}

/**
 * Certificates of a member are refused by the time of their issue. So a new one must not be older than those that are refused:
 * it could be if the member was removed or has joined again in this second, or by a leader whose clock was ahead of this
 * manager's. `least`: another time, Unix ms, that it must not be older than.
 * @throws CausewayError busy
 */
export function checkLater({ to, certificate }: Issued, view: View, least = 0): void {
  const { at = -1, knownCa } = view.records('removed').get(to)?.value ?? {};
  // A manager that joins again replaces its removal, by one with a later time that is before the issue of the certificate.
  const earliest = at + (knownCa === undefined ? 1 : 2);
  const wait = Math.ceil((Math.max(least, earliest) - issuedAt(certificate)) / 1_000);
  if (wait <= 0) return;
  throw new CausewayError('busy', `a new certificate under this name can be issued in ${wait} s: try again then`);
}

/** The valid certificates that a manager had before the next. @throws CausewayError busy: there are too many */
function formerOf(known: CertificateRecord | undefined, now: number): CertificateRecord['former'] {
  const valid = allOf(known).filter(({ expires }) => expires > now);
  if (valid.length < mostValid) return valid;
  const until = formatTime(Math.min(...valid.map(({ expires }) => expires)));
  const message = `the manager has ${valid.length} valid certificates, which is the limit; it gets the next when one expires, on ${until}`;
  throw new CausewayError('busy', message);
}

function allOf(known: CertificateRecord | undefined): NonNullable<CertificateRecord['former']> {
  return known === undefined ? [] : [...(known.former ?? []), { serial: known.serial, expires: known.expires }];
}

/** Until when certificates of a member may be valid (Unix ms), and, of a manager, their serial numbers. */
export function refusedOf(
  { role, id }: Member,
  { view }: Pick<Planning, 'view'>,
): { readonly until: number; readonly serials?: readonly string[] } {
  const before = view.records('removed').get({ role, id })?.value;
  const certificates = allOf(view.records('certificate').get({ role, id })?.value);
  const until = Math.max(before?.until ?? 0, ...certificates.map(({ expires }) => expires));
  if (role !== 'manager') return { until };
  return { until, serials: [...new Set([...(before?.serials ?? []), ...certificates.map(({ serial }) => serial)])] };
}

/** What the store keeps of a certificate. */
export function recordOf({ to: { role, id }, hosts, certificate, ca }: IssuedBy, name: string): CertificateRecord {
  const { serial, notAfter } = certificate;
  const { generation } = ca.value;
  const publicKey = role === 'manager' ? { publicKey: toBase64(publicKeyOf(certificate)) } : {};
  return { role, id, name, serial, issued: issuedAt(certificate), expires: notAfter, generation, hosts, ...publicKey };
}

/** Refuses the certificates of a member that were issued before this one, by a certificate's time of issue: Unix ms, whole seconds. */
export function refuseEarlier(
  { role, id }: Member,
  reason: string,
  issued: number,
  { view, keys }: Pick<Planning, 'view' | 'keys'>,
): readonly Write[] {
  const refused = refusedOf({ role, id }, { view });
  const earlier = view.records('removed').get({ role, id })?.value.at ?? 0;
  // An earlier certificate may be valid for longer than the present one: from before the life was lowered.
  const until = Math.max(refused.until, issued + longestLife);
  const at = Math.max(earlier, issued - 1);
  const value = records.removed.codec.encode({ role, id, at, reason, hasJoined: true, ...refused, until });
  return [{ kind: 'put', key: keys.removed(role, id), value }];
}
