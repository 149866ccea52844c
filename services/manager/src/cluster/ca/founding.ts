import {
  type Authority,
  type Credential,
  createSealingKey,
  issueNode,
  issueRoot,
  openAuthority,
  type PrivateKey,
  publicKeyFor,
  type SealingKey,
  sealAuthority,
} from '@causeway/identity';
import { type ClusterId, unwrap } from '@causeway/model';
import type { Duration, Random } from '@causeway/runtime';
import { type Issued, recordOf } from '../../plan/issued.ts';
import type { Ca } from '../../store/records/ca.ts';
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
}

/** With the certificate of the first manager only. */
export function foundCluster(parts: FoundingParts, settings: FoundingSettings): NewCluster {
  const { random } = parts;
  const { clusterId, life, hosts } = settings;
  const authority = settings.authority ?? newAuthority(parts, clusterId);
  const sealingKey = createSealingKey(random);
  const key = sealAuthority(authority.key, sealingKey, clusterId, random);
  const ca: Ca = { generation: 1, roots: [authority.certificate], signer: { kind: 'sealed', key }, life };
  const empty = { clusterId, ca, certificates: [] };
  const to = { role: 'manager', id: settings.manager } as const;
  const { founding, credential: manager } = add(parts, { founding: empty, authority }, { to, hosts });
  return { founding, sealingKey, manager };
}

/** With the certificate of an operator, in the place of an earlier certificate of an operator. */
export function addOperator(
  parts: FoundingParts,
  { founding, sealingKey }: Pick<NewCluster, 'founding' | 'sealingKey'>,
  operator: string,
): { readonly founding: Founding; readonly credential: Credential } {
  const { clusterId, ca } = founding;
  const [certificate] = ca.roots;
  if (certificate === undefined) throw new TypeError('a bundle is never empty');
  const authority = unwrap(openAuthority({ certificate, key: ca.signer.key }, sealingKey, clusterId, parts.now));
  const others = founding.certificates.filter(({ role }) => role !== 'operator');
  const to = { role: 'operator', id: operator } as const;
  return add(parts, { founding: { ...founding, certificates: others }, authority }, { to, hosts: [] });
}

function add(
  { createKey, random, now }: FoundingParts,
  { founding, authority }: { readonly founding: Founding; readonly authority: Authority },
  { to, hosts }: Pick<Issued, 'to' | 'hosts'>,
): { readonly founding: Founding; readonly credential: Credential } {
  const { clusterId, ca, certificates } = founding;
  const key = createKey();
  const holder = { name: { ...to, cluster: clusterId }, key: publicKeyFor(key), hosts };
  const certificate = issueNode(authority, holder, { now, random, life: ca.life });
  const record = recordOf({ to, hosts, certificate, ca: { value: ca } }, to.id);
  return {
    founding: { ...founding, certificates: [...certificates, record] },
    credential: { key, chain: [certificate], trust: ca.roots },
  };
}

function newAuthority({ createKey, random, now }: FoundingParts, clusterId: ClusterId): Authority {
  const key = createKey();
  return { key, certificate: issueRoot(clusterId, key, { now, random }) };
}
