import { ClusterServiceClient } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-client.js';
import { callUnary } from '@causeway/proto/io';
import { type Clock, milliseconds, seconds } from '@causeway/runtime';
import type { ChannelCredentials } from '@grpc/grpc-js';
import type { FoundManager } from '../../cluster/membership/plan-start.ts';

interface DiscoverParts {
  readonly clock: Clock;
  readonly credentials: ChannelCredentials;
}

const attemptLimit = seconds(5);
/** How long to wait for the other managers once the first has answered: they may be of another cluster, or down. */
const grace = milliseconds(500);

/**
 * Asks the managers. Returns those that run in a cluster, with the members of its etcd. Managers that do not answer are
 * left out.
 */
export async function discoverClusters(
  { clock, credentials }: DiscoverParts,
  managers: readonly string[],
  signal: AbortSignal,
): Promise<readonly FoundManager[]> {
  const enough = new AbortController();
  const over = AbortSignal.any([signal, enough.signal]);
  const found: FoundManager[] = [];
  const ask = async (address: string): Promise<void> => {
    const client = new ClusterServiceClient(address, credentials);
    try {
      const limits = { timeout: attemptLimit, signal: over };
      const { clusterId, store } = await callUnary(client.getStatus.bind(client), {}, limits);
      const members = (store?.members ?? []).map(({ name, clientUrls }) => ({ name, clientUrls }));
      if (clusterId === '' || members.every(({ clientUrls }) => clientUrls.length === 0)) return;
      found.push({ address, clusterId, members });
      void clock.sleep(grace, over).then(() => enough.abort());
    } catch {
      // The manager is down, or its cluster is about to begin: leave it out.
    } finally {
      client.close();
    }
  };
  await Promise.all(managers.map(ask));
  enough.abort();
  return found;
}
