import {
  type Credential,
  createRequest,
  hasSealedAuthority,
  type PrivateKey,
  passingLife,
  type SealingKey,
} from '@causeway/identity';
import { CausewayError, type ClusterId } from '@causeway/model';
import type { Issued } from '../../plan/issued.ts';
import type { Ca } from '../../store/records/ca.ts';
import type { ExternalSigner } from './external-signer.ts';
import { type FoundingParts, signingOf } from './founding.ts';
import { sign } from './signing.ts';

/** What a manager's disk has of the CA. */
export interface CaOnDisk {
  readonly clusterId: ClusterId;
  readonly ca: Ca;
  /** The newest first. */
  readonly sealingKeys: readonly SealingKey[];
  /** The CA of `--ca-program`. */
  readonly external?: ExternalSigner;
}

/**
 * A credential made without the store, which has a record only when its holder has renewed it: for a manager whose certificate has expired, which has no store for that reason, and for an
 * operator, because managers that have just recovered so know no operator with a valid certificate.
 * @throws CausewayError capability-missing: the CA is sealed with a key that is not here; external-ca-failed, invalid-argument
 */
export async function recoverCredential(
  parts: Pick<FoundingParts, 'random' | 'now'>,
  { clusterId, ca, sealingKeys, external }: CaOnDisk,
  member: Pick<Issued, 'to' | 'hosts'> & { readonly key: PrivateKey },
  signal: AbortSignal,
): Promise<Credential> {
  const sealingKey = sealingKeys.find((key) => hasSealedAuthority(key, ca.signer.key));
  if (sealingKey === undefined) {
    const message = 'the sealing key on the disk of this manager does not open the key of the CA that is beside it';
    throw new CausewayError('capability-missing', message);
  }
  const founding = { clusterId, ca, certificates: [] };
  const { to, hosts, key } = member;
  const applicant = { name: { ...to, cluster: clusterId }, hosts, request: createRequest(key) };
  const signing = signingOf({ founding, sealingKey }, parts.now, external);
  const certificate = await sign(
    signing,
    applicant,
    { now: parts.now, random: parts.random, life: passingLife },
    signal,
  );
  const { crossSigned, roots: trust } = ca;
  return { key, chain: crossSigned === undefined ? [certificate] : [certificate, crossSigned], trust };
}
