import type { NetworkId, NodeId } from '@causeway/model';
import type { HostsProgress } from '../ipam/cooldown.ts';
import type { StepFacts } from '../plan/change-driver.ts';

/** What agents have reported in the present term. */
export interface HostReports {
  progress(network: NetworkId): HostsProgress;
  /** Called when the progress of a network may have changed. Returns the way to stop listening. */
  subscribeProgress(listener: (network: NetworkId) => void): () => void;
  /** When a host's session was lost, ms on the monotonic clock; undefined while the host has a session. */
  silentSince(node: NodeId): number | undefined;
  /** Whether the host has claimed again everything that it held before the store was restored. */
  hasRecovered(node: NodeId): boolean;
  /** Asks the host for a key of a later generation. Without a session nothing happens. */
  rekey(node: NodeId, after: number): void;
  /** Hosts that may still use a key of this host up to the generation, as far as receipts of both say. */
  usersOfKeys(node: NodeId, upTo: number): readonly NodeId[];
  /** What the next step of a network's driver depends on. */
  stepFacts(network: NetworkId): StepFacts;
}
