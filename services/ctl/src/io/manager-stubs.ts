import { ClusterServiceClient } from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-client.js';
import { EndpointServiceClient } from '@causeway/proto/gen/causeway/v1/endpoint_service.grpc-client.js';
import { IpamServiceClient } from '@causeway/proto/gen/causeway/v1/ipam_service.grpc-client.js';
import { NetworkServiceClient } from '@causeway/proto/gen/causeway/v1/network_service.grpc-client.js';
import { NodeServiceClient } from '@causeway/proto/gen/causeway/v1/node_service.grpc-client.js';
import type { Credentials } from '@causeway/proto/io';
import { channelOptions } from './channel-options.ts';

/** The generated clients of one manager. */
export interface ManagerStubs {
  readonly network: NetworkServiceClient;
  readonly endpoint: EndpointServiceClient;
  readonly ipam: IpamServiceClient;
  readonly node: NodeServiceClient;
  readonly cluster: ClusterServiceClient;
}

/** Makes each manager's clients once. They connect at their first call, and share one connection. */
export class StubPool {
  readonly #credentials: Credentials;
  readonly #stubs = new Map<string, ManagerStubs>();

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  at(address: string): ManagerStubs {
    const known = this.#stubs.get(address);
    if (known !== undefined) return known;
    const credentials = this.#credentials.client();
    const made: ManagerStubs = {
      network: new NetworkServiceClient(address, credentials, channelOptions),
      endpoint: new EndpointServiceClient(address, credentials, channelOptions),
      ipam: new IpamServiceClient(address, credentials, channelOptions),
      node: new NodeServiceClient(address, credentials, channelOptions),
      cluster: new ClusterServiceClient(address, credentials, channelOptions),
    };
    this.#stubs.set(address, made);
    return made;
  }

  close(): void {
    for (const { network, endpoint, ipam, node, cluster } of this.#stubs.values()) {
      for (const client of [network, endpoint, ipam, node, cluster]) client.close();
    }
    this.#stubs.clear();
  }
}
