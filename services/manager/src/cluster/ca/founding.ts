import {
  type Authority,
  type Certificate,
  type Credential,
  createRequest,
  createSealingKey,
  issueRoot,
  openAuthority,
  type PrivateKey,
  type SealingKey,
} from '@causeway/identity';
import { CausewayError, type ClusterId, unwrap } from '@causeway/model';
import type { Duration, Random } from '@causeway/runtime';
import { type Issued, recordOf } from '../../plan/issued.ts';
import type { Ca } from '../../store/records/ca.ts';
import type { Founding } from '../bootstrap.ts';
import type { ExternalSigner } from './external-signer.ts';
import { signerOf } from './next-ca.ts';
import { type Applicant, type Signing, sign } from './signing.ts';

export interface FoundingParts {
  readonly createKey: () => PrivateKey;
  readonly random: Random;
  /** Unix ms. */
  readonly now: number;
}

interface FoundingSettings {
  readonly clusterId: ClusterId;
  /** Name of the first manager. */
  readonly manager: string;
  /** DNS names and IP addresses at which the manager's etcd is reached. */
  readonly hosts: readonly string[];
  /** Life of members' certificates. */
  readonly life: Duration;
  /** A CA that the operator brings; absent: a new CA. */
  readonly signing?: Signing;
}

/** A cluster that does not exist yet: what its store begins with, and what stays on the host where it is founded. */
export interface NewCluster {
  readonly founding: Founding;
  readonly sealingKey: SealingKey;
  readonly manager: Credential;
}

/** With the certificate of the first manager only. @throws CausewayError external-ca-failed */
export async function foundCluster(parts: FoundingParts, settings: FoundingSettings): Promise<NewCluster> {
  const { random, now } = parts;
  const { clusterId, life, hosts } = settings;
  const signing: Signing = settings.signing ?? { kind: 'own', authority: newAuthority(parts, clusterId) };
  const { founding: empty, sealingKey } = emptyCluster(parts, { clusterId, life, signing });
  const member = newMember(parts, empty, { to: { role: 'manager', id: settings.manager }, hosts });
  const certificate = await sign(signing, member.applicant, { now, random, life }, neverAborted);
  const { founding, credential: manager } = withMember(empty, member, certificate);
  return { founding, sealingKey, manager };
}

/**
 * With the certificate of an operator, in the place of an earlier certificate of an operator. `external`: the CA of `--ca-program`.
 * @throws CausewayError external-ca-failed, invalid-argument
 */
export async function addOperator(
  parts: FoundingParts,
  cluster: Pick<NewCluster, 'founding' | 'sealingKey'>,
  operator: string,
  external?: ExternalSigner,
): Promise<{ readonly founding: Founding; readonly credential: Credential }> {
  const { random, now } = parts;
  const { founding } = cluster;
  const certificates = founding.certificates.filter(({ role }) => role !== 'operator');
  const others = { ...founding, certificates };
  const member = newMember(parts, others, { to: { role: 'operator', id: operator }, hosts: [] });
  const issuing = { now, random, life: founding.ca.life };
  const signing = signingOf(cluster, now, external);
  return withMember(others, member, await sign(signing, member.applicant, issuing, neverAborted));
}

/** A CA of the cluster's own. */
export function newAuthority({ createKey, random, now }: FoundingParts, clusterId: ClusterId): Authority {
  const key = createKey();
  return { key, certificate: issueRoot(clusterId, key, { now, random }) };
}

/** Without any member. */
export function emptyCluster(
  { random }: Pick<FoundingParts, 'random'>,
  { clusterId, life, signing }: Pick<FoundingSettings, 'clusterId' | 'life'> & { readonly signing: Signing },
): Pick<NewCluster, 'founding' | 'sealingKey'> {
  const sealingKey = createSealingKey(random);
  const root = signing.kind === 'own' ? signing.authority.certificate : signing.root;
  const key = signing.kind === 'own' ? signing.authority.key : undefined;
  const signer = signerOf(key, sealingKey, { cluster: clusterId, random });
  const ca: Ca = { generation: 1, roots: [root], signer, life };
  return { founding: { clusterId, ca, certificates: [] }, sealingKey };
}

/** A member that has no certificate yet. */
interface NewMember extends Pick<Issued, 'to' | 'hosts'> {
  readonly key: PrivateKey;
  readonly applicant: Applicant;
}

export function newMember(
  { createKey }: Pick<FoundingParts, 'createKey'>,
  { clusterId }: Founding,
  { to, hosts }: Pick<Issued, 'to' | 'hosts'>,
): NewMember {
  const key = createKey();
  return { to, hosts, key, applicant: { name: { ...to, cluster: clusterId }, hosts, request: createRequest(key) } };
}

export function withMember(
  founding: Founding,
  { to, hosts, key }: NewMember,
  certificate: Certificate,
): { readonly founding: Founding; readonly credential: Credential } {
  const { ca, certificates } = founding;
  const record = recordOf({ to, hosts, certificate, ca: { value: ca } }, to.id);
  return {
    founding: { ...founding, certificates: [...certificates, record] },
    credential: { key, chain: [certificate], trust: ca.roots },
  };
}

/** Who signs for the CA of a cluster whose store is not there. @throws CausewayError invalid-argument */
export function signingOf(
  { founding: { clusterId, ca }, sealingKey }: Pick<NewCluster, 'founding' | 'sealingKey'>,
  now: number,
  external: ExternalSigner | undefined,
): Signing {
  const [root] = ca.roots;
  if (root === undefined) throw new TypeError('a bundle is never empty');
  if (ca.signer.kind === 'sealed') {
    const sealed = { certificate: root, key: ca.signer.key };
    return { kind: 'own', authority: unwrap(openAuthority(sealed, sealingKey, clusterId, now)) };
  }
  if (external !== undefined) return { kind: 'external', root, signer: external };
  const message = `--ca-program is missing: the cluster ${clusterId}, which was prepared before, has a CA that is a program`;
  throw new CausewayError('invalid-argument', message, { field: '--ca-program' });
}

/** A founding ends with its process. */
const neverAborted = new AbortController().signal;
