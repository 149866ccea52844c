import { CausewayError } from '@causeway/model';
import { Failover } from '@causeway/proto';
import { ClusterServiceClient } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-client.js';
import { type Credentials, callUnary } from '@causeway/proto/io';
import { type Clock, milliseconds, minutes, seconds } from '@causeway/runtime';

export interface DiscoverParts {
  readonly clock: Clock;
  readonly credentials: Credentials;
}

/** The managers may be starting at the same time. */
const patience = minutes(2);
const attemptLimit = seconds(5);

/**
 * Client URLs of the etcd members of a running cluster, from any of its managers.
 * @throws CausewayError store-unavailable when none answers, naming --join
 */
export async function discoverMembers(
  { clock, credentials }: DiscoverParts,
  managers: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const ask = async (address: string): Promise<readonly string[]> => {
    const client = new ClusterServiceClient(address, credentials.client());
    try {
      const limits = { timeout: attemptLimit, signal };
      const { store } = await callUnary(client.getStatus.bind(client), {}, limits);
      const urls = (store?.members ?? []).flatMap((member) => member.clientUrls);
      if (urls.length > 0) return urls;
      throw new CausewayError('store-unavailable', `manager ${address} has no etcd that answers`);
    } finally {
      client.close();
    }
  };
  try {
    return await new Failover(managers, clock).run(milliseconds(patience), ask, { signal });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `--join ${managers.join(',')}: no manager of a running cluster answers there (${why}); give the gRPC address of one that runs`;
    throw new CausewayError('store-unavailable', message, { field: '--join' }, { cause });
  }
}
