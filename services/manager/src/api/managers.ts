import type { Name } from '@causeway/model';
import type {
  DescribeManagerResponse,
  ExternalCa,
  Hosts,
  Manager,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { ExternalSigner } from '../cluster/ca/external-signer.ts';
import type { KnownManager } from '../store/records/manager.ts';
import type { View } from '../store/view.ts';

type ManagerState = 'leader' | 'standby' | 'outdated' | 'unreachable';

export interface Survey {
  /** Sorted by name. */
  readonly managers: Manager[];
  /** As the leader reports; absent when no leader reports. */
  readonly hosts?: Hosts;
}

/**
 * All managers, sorted by name: those that are registered or were registered and not removed, this manager, and the
 * leader, even if it is not registered yet.
 */
export function knownManagers(
  view: Pick<View, 'leader' | 'managers' | 'knownManagers'>,
  self: { readonly name: string; readonly address: string; readonly schema: number },
): readonly KnownManager[] {
  const known = new Map([...view.knownManagers].map(([name, { value }]) => [name, value]));
  for (const [name, { revision: _, ...record }] of view.managers) known.set(name, record);
  for (const { name, address } of view.leader === undefined ? [self] : [self, view.leader])
    if (!known.has(name as Name))
      known.set(name as Name, { name, address, version: '', etcdMember: '', schema: self.schema });
  return [...known.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * What each manager says about itself. For a manager that does not answer (or at whose address another manager answers):
 * what others know about it.
 */
export function surveyOf(known: readonly KnownManager[], answers: readonly DescribeManagerResponse[]): Survey {
  const said = new Map(answers.map((answer) => [answer.manager?.name, answer.manager]));
  const managers = known.map((record) => said.get(record.name) ?? managerMessage(record, 'unreachable', 0n));
  const hosts = answers.find((answer) => answer.hosts !== undefined)?.hosts;
  return hosts === undefined ? { managers } : { managers, hosts };
}

/** How this manager asks the CA; undefined: the cluster has the key of its CA. */
export function externalCaOf({ ca }: Pick<View, 'ca'>, signer: ExternalSigner | undefined): ExternalCa | undefined {
  if (ca?.value.signer.kind !== 'external') return undefined;
  const { at = 0, failure = '' } = signer?.last ?? {};
  return { name: signer?.name ?? '', calledMs: BigInt(Math.trunc(at)), failure };
}

export function managerMessage(known: KnownManager, state: ManagerState, revision: bigint): Manager {
  const { goneAt = 0, etcdTrust: _, ...record } = known;
  return { ...record, leader: state === 'leader', revision, state, goneSinceMs: BigInt(goneAt) };
}
