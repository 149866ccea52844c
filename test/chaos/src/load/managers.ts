import { randomUUID } from 'node:crypto';
import { CausewayError, isCausewayError } from '@causeway/model';
import { Failover } from '@causeway/proto';
import { EndpointServiceClient } from '@causeway/proto/gen/causeway/v1/endpoint_service.grpc-client.js';
import { ClaimEndpointRequest, ReleaseEndpointRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { NetworkServiceClient } from '@causeway/proto/gen/causeway/v1/network_service.grpc-client.js';
import { CreateNetworkRequest, DeleteNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import type { Endpoint, Network } from '@causeway/proto/gen/causeway/v1/types.js';
import { callUnary } from '@causeway/proto/io';
import { type Duration, milliseconds } from '@causeway/runtime';
import { systemClock } from '@causeway/runtime/io';
import type { ChannelCredentials } from '@grpc/grpc-js';

/** The same options as an agent's (services/agent, manager-link.ts): the load must find managers in the same way. */
export const channelOptions = {
  'grpc.keepalive_time_ms': 2_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
} as const;

/** How long a manager may take to answer. Then the next one is asked. */
const patience = milliseconds(2_000);

interface Services {
  readonly endpoints: EndpointServiceClient;
  readonly networks: NetworkServiceClient;
}

/** The requested properties of a network; absent properties are left to the cluster. */
export interface NetworkWish {
  readonly vni?: number;
  readonly subnets?: readonly string[];
}

/** Who claims and releases, and who makes and deletes networks. */
export interface Callers {
  readonly agent: ChannelCredentials;
  readonly operator: ChannelCredentials;
}

/** Claims and releases through any manager that can serve. All tries of a call have the same request id. */
export class Managers {
  readonly #clients: ReadonlyMap<string, Services>;
  readonly #failover: Failover;

  constructor(addresses: readonly string[], { agent, operator }: Callers) {
    const clients = addresses.map((address) => {
      const endpoints = new EndpointServiceClient(address, agent, channelOptions);
      const networks = new NetworkServiceClient(address, operator, channelOptions);
      return [address, { endpoints, networks }] as const;
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
    const { endpoint } = await this.#run(timeout, ({ endpoints }, limits) => {
      return callUnary(endpoints.claimEndpoint.bind(endpoints), request, limits);
    });
    if (endpoint === undefined) throw new CausewayError('internal', `${name}: no endpoint came back`);
    return endpoint;
  }

  async release(endpointId: string, nodeId: string, timeout: Duration): Promise<void> {
    const request = ReleaseEndpointRequest.create({ requestId: randomUUID(), endpointId, nodeId });
    await this.#run(timeout, ({ endpoints }, limits) => {
      return callUnary(endpoints.releaseEndpoint.bind(endpoints), request, limits);
    });
  }

  async create(name: string, { vni = 0, subnets = [] }: NetworkWish, timeout: Duration): Promise<Network> {
    const prefixes = subnets.map((prefix) => ({ prefix, gateway: '', ranges: [], auxAddresses: {} }));
    const request = CreateNetworkRequest.create({ requestId: randomUUID(), name, vni, subnets: prefixes });
    const { network } = await this.#run(timeout, ({ networks }, limits) => {
      return callUnary(networks.createNetwork.bind(networks), request, limits);
    });
    if (network === undefined) throw new CausewayError('internal', `${name}: no network came back`);
    return network;
  }

  async delete(network: string, timeout: Duration): Promise<void> {
    const request = DeleteNetworkRequest.create({ requestId: randomUUID(), network });
    await this.#run(timeout, ({ networks }, limits) => {
      return callUnary(networks.deleteNetwork.bind(networks), request, limits);
    });
  }

  #run<Value>(
    timeout: Duration,
    call: (services: Services, limits: { readonly timeout: number; readonly isRetry: boolean }) => Promise<Value>,
  ): Promise<Value> {
    return this.#failover.run(timeout, (address, remaining, isRetry) => {
      const services = this.#clients.get(address);
      if (services === undefined)
        throw new CausewayError('manager-unavailable', `no manager has the address ${address}`);
      return call(services, { timeout: Math.min(remaining, patience), isRetry });
    });
  }
}

/** Whether the outcome of the call is unknown to its caller. */
export function isUnknown(error: unknown): boolean {
  return isCausewayError(error) && error.kind === 'unavailable';
}
