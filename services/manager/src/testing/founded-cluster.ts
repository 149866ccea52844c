import { issueNode, publicKeyFor, type SealingKeyFile } from '@causeway/identity';
import { createKey } from '@causeway/identity/io';
import type { ClusterId } from '@causeway/model';
import { minutes } from '@causeway/runtime';
import { MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { Custody } from '../cluster/ca/custody.ts';
import { ExternalSigner } from '../cluster/ca/external-signer.ts';
import { emptyCluster, type NewCluster, newAuthority, newMember, withMember } from '../cluster/ca/founding.ts';
import type { Member } from '../plan/issued.ts';
import { MemoryCa } from './memory-ca.ts';

/** `externalCa`: the CA, if its key is not in the cluster. */
export interface TestCluster extends NewCluster {
  readonly externalCa?: MemoryCa;
}

/** A cluster of the manager m1 and the operator "ops". `now`: Unix ms. */
export function foundTestCluster(now: number, { hasExternalCa = false } = {}): TestCluster {
  const clusterId = 'c1c1c1c1c1c1c1c1' as ClusterId;
  const life = minutes(30 * 24 * 60);
  const parts = { createKey, random: new SeededRandom(1), now };
  const authority = newAuthority(parts, clusterId);
  const externalCa = new MemoryCa({ ...parts, cluster: clusterId }, authority);
  const signing = hasExternalCa
    ? ({ kind: 'external', root: authority.certificate, signer: signerOf(externalCa) } as const)
    : ({ kind: 'own', authority } as const);
  const { founding: empty, sealingKey } = emptyCluster(parts, { clusterId, life, signing });
  const add = (founding: NewCluster['founding'], to: Member, hosts: readonly string[]) => {
    const member = newMember(parts, founding, { to, hosts });
    const holder = { ...member.applicant, key: publicKeyFor(member.key) };
    return withMember(founding, member, issueNode(authority, holder, { ...parts, life }));
  };
  const first = add(empty, { role: 'manager', id: 'm1' }, ['127.0.0.1']);
  const { founding } = add(first.founding, { role: 'operator', id: 'ops' }, []);
  return { founding, sealingKey, manager: first.credential, ...(hasExternalCa && { externalCa }) };
}

function signerOf(ca: MemoryCa): ExternalSigner {
  return new ExternalSigner({ ca, clock: { wall: () => 0 }, log: new MemoryLog() });
}

/** The custody of a manager whose disk never fails. `file`: what is on the disk; absent: the manager is not locked. */
export function custodyOf(
  { founding: { clusterId: cluster }, sealingKey: key }: NewCluster,
  file: SealingKeyFile = { cluster, state: 'open', key },
): Custody {
  return new Custody({ keep: async () => undefined, createKey, log: new MemoryLog() }, file);
}
