import {
  type Authority,
  type Certificate,
  checkRequest,
  type Issuing,
  issueNode,
  orderFor,
  type PeerName,
} from '@causeway/identity';
import { unwrap } from '@causeway/model';
import type { ExternalSigner } from './external-signer.ts';

/** Who signs for the present root. */
export type Signing =
  | { readonly kind: 'own'; readonly authority: Authority }
  | { readonly kind: 'external'; readonly root: Certificate; readonly signer: ExternalSigner };

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
  const order = orderFor({ name, hosts }, request, { ...issuing, root: signing.root });
  return await signing.signer.issue(order, { key, now: issuing.now, signal });
}
