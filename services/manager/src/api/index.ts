import type { Calls } from '@causeway/proto';
import type { ServiceClients } from '@causeway/proto/gen/causeway/v1/services.js';
import type { CallContext } from '../call/context.ts';
import { ofEndpoint, ofEndpointId, ofHost, ofHostId, ofName, ofNetwork, ofToken } from '../call/named-object.ts';
import {
  agentOf,
  agents,
  everyone,
  joiners,
  joinersToo,
  managers,
  managersToo,
  operators,
  operatorsAndAgentOf,
  operatorsAndAgents,
  operatorsAndManagerOf,
  type Rule,
  readable,
} from '../call/policy.ts';
import { CertificatesApi } from './certificates.ts';
import { ClusterApi } from './cluster.ts';
import { CryptoApi } from './crypto.ts';
import { EndpointsApi } from './endpoints.ts';
import { IpamApi } from './ipam.ts';
import { ApiContext, type ApiModules, type ApiSettings } from './modules.ts';
import { NetworksApi } from './networks.ts';
import { NodesApi } from './nodes.ts';

/** The services of the protocol that managers answer call by call. */
type ManagerServices = Omit<ServiceClients, 'agent' | 'session'>;

/** A service: who answers its methods, and who may call each. The compiler checks that both have all methods. */
interface Service<Client> {
  readonly UseCases: new (
    context: ApiContext,
  ) => {
    readonly [Name in keyof Calls<Client>]: Calls<Client>[Name] extends (request: infer Request) => infer Answer
      ? (request: Request, call: CallContext) => Answer
      : never;
  };
  readonly rules: {
    readonly [Name in keyof Calls<Client>]: Calls<Client>[Name] extends (request: infer Request) => unknown
      ? Rule<Request>
      : never;
  };
}

/**
 * All services, and who may call each method. Calls that only the leader can answer are forwarded to it. An agent's session
 * is not: the agent gets the leader's address and connects there, or asks for a relay.
 */
export const services = {
  network: {
    UseCases: NetworksApi,
    rules: {
      createNetwork: { ...operators, object: ofName('network') },
      getNetwork: { ...readable, object: ofNetwork },
      listNetworks: readable,
      watchNetworks: everyone,
      updateNetwork: { ...operators, object: ofNetwork },
      deleteNetwork: { ...operators, object: ofNetwork },
    },
  },
  endpoint: {
    UseCases: EndpointsApi,
    rules: {
      claimEndpoint: { ...agentOf(({ nodeId }) => [nodeId]), object: ofHostId },
      claimEndpoints: agentOf(({ claims }) => claims.map(({ nodeId }) => nodeId)),
      releaseEndpoint: { ...agentOf(({ nodeId }) => [nodeId]), object: ofEndpointId },
      detachEndpoint: { ...operatorsAndAgents, object: ofEndpoint },
      getEndpoint: { ...readable, object: ofEndpoint },
      listEndpoints: readable,
      watchEndpoints: everyone,
      waitEndpoint: { ...everyone, object: ofEndpoint },
    },
  },
  ipam: {
    UseCases: IpamApi,
    rules: {
      showSubnets: { ...everyone, object: ofNetwork },
      reserveAddress: { ...operators, object: ofNetwork },
      releaseAddress: { ...operators, object: ofNetwork },
      getAddressHistory: { ...everyone, object: ofNetwork },
      checkClaims: operators,
    },
  },
  node: {
    UseCases: NodesApi,
    rules: {
      getNode: { ...readable, object: ofHost },
      listNodes: readable,
      watchNodes: everyone,
      drainNode: { ...operators, object: ofHost },
      undrainNode: { ...operators, object: ofHost },
      removeNode: { ...operatorsAndAgentOf(({ node }) => [node]), object: ofHost },
    },
  },
  certificate: {
    UseCases: CertificatesApi,
    rules: {
      getTrust: joinersToo,
      join: { ...joiners, object: ofToken },
      renew: everyone,
      createToken: operators,
      listTokens: operators,
      showCa: operators,
      rotateCa: operators,
      setCertificateLife: operators,
      setAutolock: operators,
      unlock: operators,
      revokeToken: { ...operators, object: ofToken },
      revokeOperator: { ...operators, object: ofName('operator') },
    },
  },
  crypto: {
    UseCases: CryptoApi,
    rules: {
      getCryptoStatus: { ...operators, object: ofNetwork },
      rotateKeys: operators,
    },
  },
  cluster: {
    UseCases: ClusterApi,
    rules: {
      getStatus: everyone,
      verify: operators,
      watchEvents: operators,
      listManagers: everyone,
      describeManager: managersToo,
      reportRefusals: managers,
      removeManager: { ...operatorsAndManagerOf(({ name }) => [name]), object: ofName('manager') },
      createBackup: operators,
    },
  },
} as const satisfies { readonly [Name in keyof ManagerServices]: Service<ManagerServices[Name]> };

/** Who may open a session. Its Hello names the node, and `checkOwnNode` then checks it. */
export const sessionRules = { connect: agents } as const satisfies Readonly<
  Record<keyof Pick<ServiceClients['session'], 'connect'>, Rule>
>;

export type ServiceName = keyof typeof services;

/** All calls that a manager answers, by service. The caller decides how they are served (gRPC, a test). */
export type Api = { readonly [Name in ServiceName]: InstanceType<(typeof services)[Name]['UseCases']> };

export function createApi(modules: ApiModules, settings: ApiSettings): Api {
  const context = new ApiContext(modules, settings);
  return Object.fromEntries(
    Object.entries(services).map(([name, { UseCases }]) => [name, new UseCases(context)]),
  ) as unknown as Api;
}
