import {
  ClusterServiceClient,
  type IClusterServiceClient,
} from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-client.js';
import {
  EndpointServiceClient,
  type IEndpointServiceClient,
} from '@causeway/proto/gen/causeway/v1/endpoint_service.grpc-client.js';
import {
  type IIpamServiceClient,
  IpamServiceClient,
} from '@causeway/proto/gen/causeway/v1/ipam_service.grpc-client.js';
import {
  type INetworkServiceClient,
  NetworkServiceClient,
} from '@causeway/proto/gen/causeway/v1/network_service.grpc-client.js';
import {
  type INodeServiceClient,
  NodeServiceClient,
} from '@causeway/proto/gen/causeway/v1/node_service.grpc-client.js';
import type { Credentials } from '@causeway/proto/io';
import { channelOptions } from './channel-options.ts';

const services = [
  NetworkServiceClient,
  EndpointServiceClient,
  IpamServiceClient,
  NodeServiceClient,
  ClusterServiceClient,
] as const;

type Stub = InstanceType<(typeof services)[number]>;
/** All methods of all services; no two services have a method of the same name. */
type Methods = INetworkServiceClient &
  IEndpointServiceClient &
  IIpamServiceClient &
  INodeServiceClient &
  IClusterServiceClient;

/** Makes each manager's generated clients once. They connect at their first call, and share one connection. */
export class StubPool {
  readonly #credentials: Credentials;
  readonly #stubs = new Map<string, readonly Stub[]>();

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** A method, bound to the client of the service that has it. */
  method<Name extends keyof Methods>(address: string, name: Name): Methods[Name] {
    const stub = this.#at(address).find((each) => name in each) as unknown as Methods | undefined;
    if (stub === undefined) throw new TypeError(`no service has a method ${String(name)}`);
    return (stub[name] as (...call: never) => unknown).bind(stub) as Methods[Name];
  }

  #at(address: string): readonly Stub[] {
    const known = this.#stubs.get(address);
    if (known !== undefined) return known;
    const credentials = this.#credentials.client();
    const made = services.map((Service) => new Service(address, credentials, channelOptions));
    this.#stubs.set(address, made);
    return made;
  }

  close(): void {
    for (const stub of [...this.#stubs.values()].flat()) stub.close();
    this.#stubs.clear();
  }
}
