import {
  type Authority,
  type Credential,
  createSealingKey,
  issueNode,
  issueRoot,
  type PrivateKey,
  publicKeyFor,
  type SealingKey,
  sealAuthority,
} from '@causeway/identity';
import type { ClusterId } from '@causeway/model';
import type { Duration, Random } from '@causeway/runtime';
import { type Member, recordOf } from '../../plan/issued.ts';
import type { Ca } from '../../store/records/ca.ts';
import type { CertificateRecord } from '../../store/records/certificate.ts';
import type { Founding } from '../bootstrap.ts';

interface FoundingParts {
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
  /** Name of the first operator. */
  readonly operator: string;
  /** Life of members' certificates. */
  readonly life: Duration;
  /** A CA that the operator brings; absent: a new CA. */
  readonly authority?: Authority;
}

/** A cluster that does not exist yet: what its store begins with, and what stays on the host where it is founded. */
export interface NewCluster {
  readonly founding: Founding;
  readonly sealingKey: SealingKey;
  readonly manager: Credential;
  readonly operator: Credential;
}

export function foundCluster(parts: FoundingParts, settings: FoundingSettings): NewCluster {
  const { random, now } = parts;
  const { clusterId, life } = settings;
  const authority = settings.authority ?? newAuthority(parts, clusterId);
  const sealingKey = createSealingKey(random);
  const key = sealAuthority(authority.key, sealingKey, clusterId, random);
  const roots = [authority.certificate];
  const ca: Ca = { generation: 1, roots, signer: { kind: 'sealed', key }, life };
  const issue = (to: Member, hosts: readonly string[]): { credential: Credential; record: CertificateRecord } => {
    const own = parts.createKey();
    const holder = { name: { ...to, cluster: clusterId }, key: publicKeyFor(own), hosts };
    const certificate = issueNode(authority, holder, { now, random, life });
    const record = recordOf({ to, hosts, certificate, ca: { value: ca } }, to.id);
    return { credential: { key: own, chain: [certificate], trust: roots }, record };
  };
  const manager = issue({ role: 'manager', id: settings.manager }, settings.hosts);
  const operator = issue({ role: 'operator', id: settings.operator }, []);
  const founding = { clusterId, ca, certificates: [manager.record, operator.record] };
  return { founding, sealingKey, manager: manager.credential, operator: operator.credential };
}

function newAuthority({ createKey, random, now }: FoundingParts, clusterId: ClusterId): Authority {
  const key = createKey();
  return { key, certificate: issueRoot(clusterId, key, { now, random }) };
}
