import { unwrap } from '@causeway/model';
import type { Clock } from '@causeway/runtime';
import type { Credential } from '../credential.ts';
import { acceptRenewal, type Renewed } from '../renewal.ts';
import { createRequest } from '../x509/request.ts';
import { createKey } from './create-key.ts';
import type { RemovedManager } from './removed-managers.ts';

/** What a manager says about the cluster to its members. */
export interface Trust {
  /** What the cluster trusts, in PEM. */
  readonly roots: string;
  /** The manager's time, Unix ms. */
  readonly time: number;
  readonly removed: readonly RemovedManager[];
  /** IP:PORT of all managers, as the manager has sent them; none: it does not say. */
  readonly managers: readonly string[];
}

/** The managers, as a member asks them for certificates. Calls fail when no manager answers. */
export interface CertificateSource {
  trust(signal: AbortSignal): Promise<Trust>;
  /** `request`: PKCS #10 in DER. */
  renew(request: Uint8Array, signal: AbortSignal): Promise<Renewed>;
}

export interface RenewParts {
  readonly source: Pick<CertificateSource, 'renew'>;
  /** Writes the credential to disk. Durable when it resolves. */
  keep(credential: Credential): Promise<void>;
  readonly clock: Pick<Clock, 'wall'>;
}

/** Returns the next credential, which is on disk: a process that crashes now begins with the newest. */
export async function renew(
  { source, keep, clock }: RenewParts,
  present: Credential,
  signal: AbortSignal,
): Promise<Credential> {
  const key = createKey();
  const renewed = await source.renew(createRequest(key), signal);
  const next = unwrap(acceptRenewal(present, key, renewed, clock.wall()));
  await keep(next);
  return next;
}
