import { randomUUID } from 'node:crypto';
import { AgentServiceClient } from '@causeway/proto/gen/causeway/v1/agent_service.grpc-client.js';
import { AttachRequest } from '@causeway/proto/gen/causeway/v1/agent_service.js';
import { ClusterServiceClient } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-client.js';
import type { GetStatusResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { EndpointServiceClient } from '@causeway/proto/gen/causeway/v1/endpoint_service.grpc-client.js';
import { ClaimEndpointRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { NetworkServiceClient } from '@causeway/proto/gen/causeway/v1/network_service.grpc-client.js';
import { CreateNetworkRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { type Endpoint, type Network, Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { callUnary, plaintext, type UnaryMethod } from '@causeway/proto/io';
import type { ChannelCredentials } from '@grpc/grpc-js';

const limits = { timeout: 60_000 };

/** Gives each client a connection of its own: clients on one connection also share its buffers. */
export const channelOptions = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.max_receive_message_length': 64 << 20,
  // Short, so that a manager that starts is found at once.
  'grpc.initial_reconnect_backoff_ms': 20,
  'grpc.max_reconnect_backoff_ms': 50,
} as const;

/** Client of an agent, through its unix socket. */
export class AgentClient {
  readonly #stub: AgentServiceClient;

  constructor(socket: string) {
    this.#stub = new AgentServiceClient(`unix:${socket}`, plaintext, channelOptions);
  }

  async attach(network: string, name: string, netns: string, addresses: readonly string[] = []): Promise<Endpoint> {
    const request = AttachRequest.create({
      requestId: randomUUID(),
      network,
      name,
      netns,
      addresses: [...addresses],
    });
    const { endpoint } = await callUnary(this.#stub.attach.bind(this.#stub), request, limits);
    if (endpoint === undefined) throw new Error(`${name}: attach answered no endpoint`);
    return endpoint;
  }

  async status(): Promise<void> {
    await callUnary(this.#stub.getAgentStatus.bind(this.#stub), {}, limits);
  }

  close(): void {
    this.#stub.close();
  }
}

/** Who calls a manager. */
export interface Caller {
  readonly credentials: ChannelCredentials;
  /** The caller is a manager: it says for whom it makes each call. Otherwise each call is its own. */
  readonly forwards?: boolean;
}

/** Client of a manager, through its address. */
export class ManagerClient {
  readonly #networks: NetworkServiceClient;
  readonly #endpoints: EndpointServiceClient;
  readonly #cluster: ClusterServiceClient;
  readonly #forwards: boolean;

  constructor(address: string, { credentials, forwards = false }: Caller) {
    this.#forwards = forwards;
    this.#networks = new NetworkServiceClient(address, credentials, channelOptions);
    this.#endpoints = new EndpointServiceClient(address, credentials, channelOptions);
    this.#cluster = new ClusterServiceClient(address, credentials, channelOptions);
  }

  async createNetwork(name: string, prefix: string): Promise<Network> {
    const subnets = [Subnet.create({ prefix })];
    const request = CreateNetworkRequest.create({ requestId: randomUUID(), name, subnets });
    const { network } = await callUnary(
      this.#for('operator/bench', this.#networks.createNetwork.bind(this.#networks)),
      request,
      limits,
    );
    if (network === undefined) throw new Error(`${name}: no network came back`);
    return network;
  }

  async claim(network: string, name: string, nodeId: string): Promise<Endpoint> {
    const request = ClaimEndpointRequest.create({ requestId: randomUUID(), network, name, nodeId });
    const method = this.#for(`agent/${nodeId}`, this.#endpoints.claimEndpoint.bind(this.#endpoints));
    const { endpoint } = await callUnary(method, request, limits);
    if (endpoint === undefined) throw new Error(`${name}: no endpoint came back`);
    return endpoint;
  }

  /** Claims in one call, as a host does whose containers start together. */
  async claimTogether(network: string, names: readonly string[], nodeId: string): Promise<void> {
    const claims = names.map((name) => ClaimEndpointRequest.create({ requestId: randomUUID(), network, name, nodeId }));
    const method = this.#for(`agent/${nodeId}`, this.#endpoints.claimEndpoints.bind(this.#endpoints));
    const { outcomes } = await callUnary(method, { claims }, limits);
    for (const { outcome } of outcomes)
      if (outcome.oneofKind !== 'endpoint') throw new Error(`${names[0]} …: ${JSON.stringify(outcome)}`);
  }

  async status(timeout: number): Promise<GetStatusResponse> {
    return callUnary(this.#cluster.getStatus.bind(this.#cluster), {}, { timeout });
  }

  /** The method, called in the name of that member. */
  #for<Request, Response>(caller: string, method: UnaryMethod<Request, Response>): UnaryMethod<Request, Response> {
    if (!this.#forwards) return method;
    return (request, metadata, options, callback) => {
      const now = Date.now();
      metadata.set('causeway-caller', `${caller} ${now} ${now - 60_000} ${now + 60_000}`);
      return method(request, metadata, options, callback);
    };
  }

  close(): void {
    this.#networks.close();
    this.#endpoints.close();
    this.#cluster.close();
  }
}
