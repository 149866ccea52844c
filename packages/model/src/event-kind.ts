/** docs/operations.md lists all kinds, and what to do about each. */
export const eventKinds = [
  'network.created',
  'network.changed',
  'network.deleted',
  'endpoint.attached',
  'endpoint.detached',
  'endpoint.orphaned',
  'endpoint.refused',
  'endpoint.kept',
  'address.reserved',
  'address.released',
  'claims.repaired',
  'node.joined',
  'node.changed',
  'node.ready',
  'node.lost',
  'leader.changed',
  'cluster.restored',
  'cluster.recovered',
  'manager.joined',
  'manager.lost',
  'manager.removed',
  'drift.repaired',
] as const;

export type EventKind = (typeof eventKinds)[number];
