import { CausewayError } from '@causeway/model';

/** What a manager reports about itself. */
export interface Said {
  readonly address: string;
  readonly cluster: string;
  /** Name of the manager; absent: it was not reported. */
  readonly manager?: string;
}

/**
 * The error when the given managers that answer are of different clusters. Without this check, the cluster that a command
 * reads or changes would depend on which manager is asked.
 */
export function clusterConflict(said: readonly Said[]): CausewayError | undefined {
  const [first] = said;
  const other = said.find(({ cluster }) => cluster !== first?.cluster);
  if (first === undefined || other === undefined) return undefined;
  const message = `the given managers belong to different clusters: ${described(first)}, and ${described(other)}; give managers of one cluster`;
  return new CausewayError('cluster-mismatch', message, {
    field: '--managers',
    value: first.address,
    cluster: first.cluster,
    other: other.address,
    otherCluster: other.cluster,
  });
}

/**
 * Also names the cluster of the manager that answered a read: when the first manager is silent, another manager answers.
 */
export function conflictRemark(said: readonly Said[], answered: string | undefined): string | undefined {
  const conflict = clusterConflict(said);
  if (conflict === undefined) return undefined;
  const by = said.find(({ address }) => address === answered);
  return by === undefined ? conflict.message : `${conflict.message}; this answer is from cluster ${by.cluster}`;
}

function described({ address, manager, cluster }: Said): string {
  return `${manager === undefined ? '' : `${manager} at `}${address} belongs to ${cluster}`;
}
