import { ClusterServiceClient } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-client.js';
import type { DescribeManagerResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { type Credentials, callUnary } from '@causeway/proto/io';
import type { Peers } from '../../cluster/peers.ts';

/** Beyond what any caller waits: their signal ends it. */
const longest = 10_000;

/** The other managers, each by a connection that lives as long as the question: it is asked when somebody looks. */
export class GrpcPeers implements Peers {
  readonly #credentials: Credentials;

  constructor({ credentials }: { readonly credentials: Credentials }) {
    this.#credentials = credentials;
  }

  async describe(address: string, signal: AbortSignal): Promise<DescribeManagerResponse> {
    const client = new ClusterServiceClient(address, this.#credentials.client());
    try {
      return await callUnary(client.describeManager.bind(client), {}, { timeout: longest, signal });
    } finally {
      client.close();
    }
  }
}
