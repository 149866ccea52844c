import { randomUUID } from 'node:crypto';
import { CausewayError, isCausewayError } from '@causeway/model';
import { Failover } from '@causeway/proto';
import { EndpointServiceClient } from '@causeway/proto/gen/causeway/v1/endpoint_service.grpc-client.js';
import { ClaimEndpointRequest, ReleaseEndpointRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import { callUnary, plaintext } from '@causeway/proto/io';
import { type Duration, milliseconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';

/** As agents have them (services/agent, manager-link.ts): the load must find its way as they do. */
export const channelOptions = {
  'grpc.keepalive_time_ms': 2_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
} as const;

/** A manager that does not answer for so long is left for the next one. */
const patience = milliseconds(2_000);

/** Claims and releases through whichever manager can serve, the same request id on every try. */
export class Managers {
  readonly #clients: ReadonlyMap<string, EndpointServiceClient>;
  readonly #failover: Failover;

  constructor(addresses: readonly string[]) {
    const clients = addresses.map((address) => {
      return [address, new EndpointServiceClient(address, plaintext.client(), channelOptions)] as const;
    });
    this.#clients = new Map(clients);
    this.#failover = new Failover(addresses, systemClock);
  }

  async claim(
    network: string,
    name: string,
    nodeId: string,
    addresses: string[],
    timeout: Duration,
  ): Promise<Endpoint> {
    const request = ClaimEndpointRequest.create({ requestId: randomUUID(), network, name, nodeId, addresses });
    const { endpoint } = await this.#run(timeout, (client, limits) => {
      return callUnary(client.claimEndpoint.bind(client), request, limits);
    });
    if (endpoint === undefined) throw new CausewayError('internal', `${name}: no endpoint came back`);
    return endpoint;
  }

  async release(endpointId: string, nodeId: string, timeout: Duration): Promise<void> {
    const request = ReleaseEndpointRequest.create({ requestId: randomUUID(), endpointId, nodeId });
    await this.#run(timeout, (client, limits) => callUnary(client.releaseEndpoint.bind(client), request, limits));
  }

  #run<Value>(
    timeout: Duration,
    call: (
      client: EndpointServiceClient,
      limits: { readonly timeout: number; readonly again: boolean },
    ) => Promise<Value>,
  ): Promise<Value> {
    return this.#failover.run(timeout, (address, remaining, again) => {
      const client = this.#clients.get(address);
      if (client === undefined) throw new CausewayError('manager-unavailable', `nobody told of ${address}`);
      return call(client, { timeout: Math.min(remaining, patience), again });
    });
  }
}

/** Whether the caller cannot know what became of its call. */
export function isUnknown(error: unknown): boolean {
  return isCausewayError(error) && error.kind === 'unavailable';
}
