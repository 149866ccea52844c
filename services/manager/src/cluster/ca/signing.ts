import {
  type Authority,
  acceptNextRoot,
  acceptOrdered,
  type Certificate,
  checkRequest,
  type Issuing,
  issueNode,
  type NextRoot,
  orderFor,
  type PeerName,
} from '@causeway/identity';
import { CausewayError, type Result, unwrap } from '@causeway/model';
import type { ExternalCa } from './external-ca.ts';

/** Who signs for the present root. */
export type Signing =
  | { readonly kind: 'own'; readonly authority: Authority }
  | { readonly kind: 'external'; readonly root: Certificate; readonly ca: ExternalCa };

export interface Applicant {
  readonly name: PeerName;
  /** DNS names and IP addresses at which a manager's etcd is reached. */
  readonly hosts: readonly string[];
  /** PKCS #10 in DER. */
  readonly request: Uint8Array;
}

/** @throws CausewayError certificate-request-invalid, external-ca-failed */
export async function sign(
  signing: Signing,
  applicant: Applicant,
  issuing: Issuing,
  signal: AbortSignal,
): Promise<Certificate> {
  const { name, hosts, request } = applicant;
  const key = unwrap(checkRequest(request));
  if (signing.kind === 'own') return issueNode(signing.authority, { name, key, hosts }, issuing);
  const { ca, root } = signing;
  const order = orderFor({ name, hosts }, request, { ...issuing, root });
  return accepted(ca, acceptOrdered(await ca.issue(order, signal), { order, key, now: issuing.now }));
}

/** The next root of an external CA. @throws CausewayError external-ca-failed */
export async function nextRoot(
  { ca, root: present }: Extract<Signing, { kind: 'external' }>,
  now: number,
  signal: AbortSignal,
): Promise<NextRoot> {
  return accepted(ca, acceptNextRoot(await ca.next(present, signal), { present, now }));
}

function accepted<Value>({ name: ca }: ExternalCa, result: Result<Value, CausewayError>): Value {
  if (result.ok) return result.value;
  throw new CausewayError('external-ca-failed', `what ${ca} has printed is not used: ${result.error.message}`, { ca });
}
