import type { NetworkId, NodeId } from '@causeway/model';
import type { HostsProgress } from '../ipam/cooldown.ts';

/** What agents have reported in the present term. */
export interface HostReports {
  progress(network: NetworkId): HostsProgress;
  /** Called when the progress of a network may have changed. Returns the way to stop listening. */
  subscribeProgress(listener: (network: NetworkId) => void): () => void;
  /** When a host's session was lost, on the monotonic clock; undefined while it has one. */
  silentSince(node: NodeId): number | undefined;
  /** Nothing the host held before the store was restored waits to be claimed again. */
  hasRecovered(node: NodeId): boolean;
}
