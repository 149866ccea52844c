import type { ManagerRecord } from '../../store/records/manager.ts';
import type { StoreMemberStatus } from '../../store/store.ts';

export interface RestartFacts {
  /** This manager's name, which is also the name of its etcd member. */
  readonly name: string;
  /** The roots that the cluster trusts, as `formatPins`. */
  readonly trust: string;
  /** Those that this manager has on disk, where etcd reads them. */
  readonly onDisk: string;
  /** Those that this manager's etcd has read at its start; empty: not known. */
  readonly ofEtcd: string;
  /** All managers that run, this one included. */
  readonly managers: readonly Pick<ManagerRecord, 'name' | 'etcdMember' | 'etcdTrust'>[];
}

export type RestartStep =
  | { readonly kind: 'nothing' }
  /** The etcd of this manager is to be restarted, when `why` is over. */
  | { readonly kind: 'wait'; readonly why: string }
  | { readonly kind: 'restart' };

/**
 * etcd reads the roots only when it starts. After a change of the CA the managers restart their etcds one after the other, in the
 * order of their names. Each manager decides for itself by what the others have registered, so the order survives the death of
 * any manager.
 */
export function planRestart(facts: RestartFacts, members: readonly StoreMemberStatus[]): RestartStep {
  const { name, trust, onDisk, ofEtcd } = facts;
  if (ofEtcd === trust) return { kind: 'nothing' };
  if (onDisk !== trust) return { kind: 'wait', why: 'this manager does not have the roots of the cluster yet' };
  const [next] = untrusting(facts.managers, trust).sort();
  if (next !== undefined && next < name) return { kind: 'wait', why: `the etcd of ${next} is restarted first` };
  const sick = members.find(({ healthy, learner }) => !healthy || learner);
  if (sick === undefined) return { kind: 'restart' };
  return { kind: 'wait', why: `the etcd member ${sick.name} is not healthy, and the others need a majority` };
}

/** The managers whose etcd has not read these roots. A manager of an earlier version does not say which it has read. */
export function untrusting(managers: RestartFacts['managers'], trust: string): string[] {
  return managers
    .filter(({ etcdMember, etcdTrust }) => etcdMember !== '' && etcdTrust !== undefined && etcdTrust !== trust)
    .map(({ name }) => name);
}
