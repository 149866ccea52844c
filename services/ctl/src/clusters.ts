import { CausewayError } from '@causeway/model';

/** What a manager says of itself. */
export interface Said {
  readonly address: string;
  readonly cluster: string;
  /** Absent: it did not say. */
  readonly manager?: string;
}

/**
 * Managers of one cluster were given, or at least none of another answers. Otherwise what one command sees and the next changes
 * would depend on which of them is asked.
 */
export function clusterConflict(said: readonly Said[]): CausewayError | undefined {
  const [first] = said;
  const other = said.find(({ cluster }) => cluster !== first?.cluster);
  if (first === undefined || other === undefined) return undefined;
  const message = `the managers given are of different clusters: ${described(first)}, and ${described(other)}; give those of one`;
  return new CausewayError('cluster-mismatch', message, {
    field: '--managers',
    value: first.address,
    cluster: first.cluster,
    other: other.address,
    otherCluster: other.cluster,
  });
}

/** Who answered a read is said too: silence of the first may have made it another. */
export function conflictRemark(said: readonly Said[], answered: string | undefined): string | undefined {
  const conflict = clusterConflict(said);
  if (conflict === undefined) return undefined;
  const by = said.find(({ address }) => address === answered);
  return by === undefined ? conflict.message : `${conflict.message}; this answer is of ${by.cluster}`;
}

function described({ address, manager, cluster }: Said): string {
  return `${manager === undefined ? '' : `${manager} at `}${address} is of ${cluster}`;
}
