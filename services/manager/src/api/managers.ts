import type { Manager } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { ManagerRecord } from '../membership/registry.ts';
import type { View } from '../store/view.ts';

export interface Self {
  readonly name: string;
  readonly address: string;
}

/** The registered managers as they go on the wire; this one and the leader are among them, registered (yet) or not. */
export function managersToMessages(
  records: readonly ManagerRecord[],
  view: Pick<View, 'leader' | 'revision'>,
  self: Self,
): Manager[] {
  const { leader } = view;
  const known = new Map(records.map((record) => [record.name, record]));
  for (const { name, address } of leader === undefined ? [self] : [self, leader])
    if (!known.has(name)) known.set(name, { name, address, version: '', etcdMember: '' });
  return [...known.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, address, version, etcdMember }) => ({
      name,
      address,
      leader: name === leader?.name && address === leader.address,
      version,
      revision: address === self.address ? view.revision : 0n,
      etcdMember,
    }));
}
