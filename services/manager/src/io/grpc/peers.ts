import { ClusterServiceClient } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-client.js';
import type {
  DescribeManagerResponse,
  ReportRefusalsRequest,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
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

  describe(address: string, signal: AbortSignal): Promise<DescribeManagerResponse> {
    return this.#ask(address, (client) =>
      callUnary(client.describeManager.bind(client), {}, { timeout: longest, signal }),
    );
  }

  async reportRefusals(address: string, request: ReportRefusalsRequest, signal: AbortSignal): Promise<void> {
    await this.#ask(address, (client) =>
      callUnary(client.reportRefusals.bind(client), request, { timeout: longest, signal }),
    );
  }

  async #ask<Answer>(address: string, ask: (client: ClusterServiceClient) => Promise<Answer>): Promise<Answer> {
    const client = new ClusterServiceClient(address, this.#credentials);
    try {
      return await ask(client);
    } finally {
      client.close();
    }
  }
}
