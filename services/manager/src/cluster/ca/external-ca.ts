import type { Certificate, CertificateOrder } from '@causeway/identity';

/** A CA whose key the cluster does not have. What comes from it counts only when it has been verified (signing.ts). */
export interface ExternalCa {
  /** For messages: what it is, and by which setting a manager has it. */
  readonly name: string;
  /**
   * Resolves with the certificate in PEM.
   * @throws CausewayError external-ca-failed, which names the CA and says why
   */
  issue(order: CertificateOrder, signal: AbortSignal): Promise<string>;
  /**
   * Resolves with the next root and the next root signed by the present root, in PEM. The same for the same present root, because a
   * caller that got no answer asks again.
   * @throws CausewayError external-ca-failed
   */
  next(present: Certificate, signal: AbortSignal): Promise<string>;
}
