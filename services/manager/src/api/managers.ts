import type { Name } from '@causeway/model';
import type { DescribeManagerResponse, Hosts, Manager } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { KnownManager } from '../store/records/manager.ts';
import type { View } from '../store/view.ts';

type ManagerState = 'leader' | 'standby' | 'outdated' | 'unreachable';

export interface Survey {
  /** By name. */
  readonly managers: Manager[];
  /** As the leader says; absent when none does. */
  readonly hosts?: Hosts;
}

/** The managers there are: those registered or not removed since, this one and the leader, registered (yet) or not. By name. */
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

/** What the managers say of themselves; of one that says nothing (or at whose address is another) what others know. */
export function surveyOf(known: readonly KnownManager[], answers: readonly DescribeManagerResponse[]): Survey {
  const said = new Map(answers.map((answer) => [answer.manager?.name, answer.manager]));
  const managers = known.map((record) => said.get(record.name) ?? managerMessage(record, 'unreachable', 0n));
  const hosts = answers.find((answer) => answer.hosts !== undefined)?.hosts;
  return hosts === undefined ? { managers } : { managers, hosts };
}

export function managerMessage(known: KnownManager, state: ManagerState, revision: bigint): Manager {
  const { goneAt = 0, ...record } = known;
  return { ...record, leader: state === 'leader', revision, state, goneSinceMs: BigInt(goneAt) };
}
