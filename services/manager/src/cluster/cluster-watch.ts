import { CausewayError, type ClusterId } from '@causeway/model';
import type { View } from '../store/view.ts';

/**
 * Calls `changed` once when the store turns out to hold another cluster, or no cluster any more. Returns a function that
 * ends the watch.
 */
export function watchCluster(
  view: Pick<View, 'cluster' | 'subscribe'>,
  own: ClusterId,
  changed: (error: CausewayError) => void,
): () => void {
  const stop = view.subscribe((changes) => {
    if (!changes.some(({ kind }) => kind === 'cluster' || kind === 'reset') || view.cluster?.id === own) return;
    stop();
    changed(clusterMismatch(own, view.cluster?.id));
  });
  return stop;
}

/**
 * The error of a manager whose store holds another cluster: everything that the manager served would be wrong for its
 * hosts.
 */
export function clusterMismatch(own: ClusterId, found: ClusterId | undefined): CausewayError {
  const holds = found === undefined ? 'no cluster' : `cluster ${found}`;
  const message =
    `this manager belongs to cluster ${own}, and its store holds ${holds}: ` +
    'give it the store of its own cluster, or an empty --data-dir';
  return new CausewayError('cluster-mismatch', message, { own, found: found ?? '' });
}
