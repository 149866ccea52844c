import {
  clusterServiceDefinition,
  type IClusterService,
} from '@causeway/proto/gen/causeway/v1/cluster_service.grpc-server.js';
import {
  endpointServiceDefinition,
  type IEndpointService,
} from '@causeway/proto/gen/causeway/v1/endpoint_service.grpc-server.js';
import { type IIpamService, ipamServiceDefinition } from '@causeway/proto/gen/causeway/v1/ipam_service.grpc-server.js';
import {
  type INetworkService,
  networkServiceDefinition,
} from '@causeway/proto/gen/causeway/v1/network_service.grpc-server.js';
import { type INodeService, nodeServiceDefinition } from '@causeway/proto/gen/causeway/v1/node_service.grpc-server.js';
import { lenient } from '@causeway/proto/io';
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Api } from '../../api/index.ts';
import { policy, type Rule } from '../../call/policy.ts';
import { type Answer, type AnswerStream, type Serving, serverStreaming, unary } from './calls.ts';

/** The methods of a generated service, without the index signature that grpc-js requires. */
type MethodsOf<Service> = {
  [Name in keyof Service as string extends Name ? never : number extends Name ? never : Name]: Service[Name];
};

/** The function that answers a method. */
type UseCase<Handler> =
  Handler extends handleUnaryCall<infer Request, infer Response>
    ? Answer<Request, Response>
    : Handler extends handleServerStreamingCall<infer Request, infer Response>
      ? AnswerStream<Request, Response>
      : never;

type RequestOf<Handler> =
  Handler extends handleUnaryCall<infer Request, infer _>
    ? Request
    : Handler extends handleServerStreamingCall<infer Request, infer _>
      ? Request
      : never;

/** A service with its use cases and their rules. The compiler checks that all three have the same methods. */
interface ServedService<Service> {
  readonly definition: ServiceDefinition;
  readonly useCases: (api: Api) => { readonly [Name in keyof MethodsOf<Service>]: UseCase<Service[Name]> };
  readonly rules: { readonly [Name in keyof MethodsOf<Service>]: Rule<RequestOf<Service[Name]>> };
}

const networks: ServedService<INetworkService> = {
  definition: networkServiceDefinition,
  useCases: (api) => api.networks,
  rules: policy.network,
};
const endpoints: ServedService<IEndpointService> = {
  definition: endpointServiceDefinition,
  useCases: (api) => api.endpoints,
  rules: policy.endpoint,
};
const ipam: ServedService<IIpamService> = {
  definition: ipamServiceDefinition,
  useCases: (api) => api.ipam,
  rules: policy.ipam,
};
const nodes: ServedService<INodeService> = {
  definition: nodeServiceDefinition,
  useCases: (api) => api.nodes,
  rules: policy.node,
};
const cluster: ServedService<IClusterService> = {
  definition: clusterServiceDefinition,
  useCases: (api) => api.cluster,
  rules: policy.cluster,
};

/**
 * All services except that of sessions. Calls that only the leader can answer are forwarded to it. An agent's session is
 * not: the agent is told the leader's address and connects there, or asks for a relay.
 */
export const services = [networks, endpoints, ipam, nodes, cluster];

/** A service for a gRPC server: each method is answered by the use case of its name, under the rule of its name. */
export function served(
  { definition, useCases, rules }: (typeof services)[number],
  api: Api,
  serving: Serving,
): [ServiceDefinition, UntypedServiceImplementation] {
  const answers = useCases(api) as unknown as Readonly<Record<string, (...call: unknown[]) => unknown>>;
  const handlers = Object.entries(definition).map(([name, { responseStream }]) => {
    const rule = (rules as unknown as Readonly<Record<string, Rule<object>>>)[name];
    if (rule === undefined || answers[name] === undefined)
      throw new TypeError(`no use case and rule are named ${name}`);
    const answer = answers[name].bind(answers);
    const handler = responseStream
      ? serverStreaming(serving, rule, answer as AnswerStream<object, object>)
      : unary(serving, rule, answer as Answer<object, object>);
    return [name, handler] as const;
  });
  return [lenient(definition), Object.fromEntries(handlers)];
}
