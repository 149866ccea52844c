import { ClusterServiceClient } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-client.js';
import type { DescribeManagerResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { callUnary } from '@causeway/proto/io';
import type { ChannelCredentials } from '@grpc/grpc-js';
import type { Peers } from '../../cluster/peers.ts';

/** Deadline of a question, ms. Callers wait less long: their signal ends the question. */
const longest = 10_000;

/**
 * Asks other managers, each on a connection that lasts only for the question: managers are asked only when a user looks.
 */
export class GrpcPeers implements Peers {
  readonly #credentials: ChannelCredentials;

  constructor({ credentials }: { readonly credentials: ChannelCredentials }) {
    this.#credentials = credentials;
  }

  async describe(address: string, signal: AbortSignal): Promise<DescribeManagerResponse> {
    const client = new ClusterServiceClient(address, this.#credentials);
    try {
      return await callUnary(client.describeManager.bind(client), {}, { timeout: longest, signal });
    } finally {
      client.close();
    }
  }
}
