import type {
  AttachRequest,
  AttachResponse,
  DetachRequest,
  DetachResponse,
  GetAgentStatusResponse,
  ListSandboxesResponse,
} from '@causeway/proto/gen/causeway/v1/agent_service.js';
import type {
  CreateBackupResponse,
  GetStatusResponse,
  ListManagersResponse,
  RemoveManagerRequest,
  RemoveManagerResponse,
  VerifyRequest,
  VerifyResponse,
  WatchEventsRequest,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type {
  DetachEndpointRequest,
  DetachEndpointResponse,
  GetEndpointRequest,
  GetEndpointResponse,
  ListEndpointsRequest,
  ListEndpointsResponse,
  WaitEndpointRequest,
  WaitEndpointResponse,
  WatchEndpointsRequest,
  WatchEndpointsResponse,
} from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import type {
  CheckClaimsRequest,
  CheckClaimsResponse,
  GetAddressHistoryRequest,
  GetAddressHistoryResponse,
  ReleaseAddressRequest,
  ReleaseAddressResponse,
  ReserveAddressRequest,
  ReserveAddressResponse,
  ShowSubnetsRequest,
  ShowSubnetsResponse,
} from '@causeway/proto/gen/causeway/v1/ipam_service.js';
import type {
  CreateNetworkRequest,
  CreateNetworkResponse,
  DeleteNetworkRequest,
  DeleteNetworkResponse,
  GetNetworkRequest,
  GetNetworkResponse,
  ListNetworksRequest,
  ListNetworksResponse,
  UpdateNetworkRequest,
  UpdateNetworkResponse,
  WatchNetworksRequest,
  WatchNetworksResponse,
} from '@causeway/proto/gen/causeway/v1/network_service.js';
import type {
  GetNodeRequest,
  GetNodeResponse,
  ListNodesRequest,
  ListNodesResponse,
  WatchNodesRequest,
  WatchNodesResponse,
} from '@causeway/proto/gen/causeway/v1/node_service.js';
import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Duration } from '@causeway/runtime';

/** Where to find the servers, and how long a command as a whole may take to hear from them. */
export interface ConnectionSettings {
  /** host:port each, the one to try first in front; may be empty for a command that asks no manager. */
  readonly managers: readonly string[];
  /** Path of the agent's unix socket. */
  readonly socket: string;
  readonly timeout: Duration;
}

/** The managers as one: a call goes to whichever can serve it. Failures are CausewayErrors. */
export interface Managers {
  createNetwork(request: CreateNetworkRequest): Promise<CreateNetworkResponse>;
  getNetwork(request: GetNetworkRequest): Promise<GetNetworkResponse>;
  listNetworks(request: ListNetworksRequest): Promise<ListNetworksResponse>;
  /** One connection to one manager, until it breaks; the next call asks the next manager. */
  watchNetworks(request: WatchNetworksRequest): AsyncIterable<WatchNetworksResponse>;
  updateNetwork(request: UpdateNetworkRequest): Promise<UpdateNetworkResponse>;
  deleteNetwork(request: DeleteNetworkRequest): Promise<DeleteNetworkResponse>;
  detachEndpoint(request: DetachEndpointRequest): Promise<DetachEndpointResponse>;
  getEndpoint(request: GetEndpointRequest): Promise<GetEndpointResponse>;
  listEndpoints(request: ListEndpointsRequest): Promise<ListEndpointsResponse>;
  /** As `watchNetworks`. */
  watchEndpoints(request: WatchEndpointsRequest): AsyncIterable<WatchEndpointsResponse>;
  waitEndpoint(request: WaitEndpointRequest): Promise<WaitEndpointResponse>;
  showSubnets(request: ShowSubnetsRequest): Promise<ShowSubnetsResponse>;
  getAddressHistory(request: GetAddressHistoryRequest): Promise<GetAddressHistoryResponse>;
  reserveAddress(request: ReserveAddressRequest): Promise<ReserveAddressResponse>;
  releaseAddress(request: ReleaseAddressRequest): Promise<ReleaseAddressResponse>;
  checkClaims(request: CheckClaimsRequest): Promise<CheckClaimsResponse>;
  getNode(request: GetNodeRequest): Promise<GetNodeResponse>;
  listNodes(request: ListNodesRequest): Promise<ListNodesResponse>;
  /** As `watchNetworks`. */
  watchNodes(request: WatchNodesRequest): AsyncIterable<WatchNodesResponse>;
  getStatus(): Promise<GetStatusResponse>;
  /** What each manager says that answers soon; never fails. */
  getStatuses(): Promise<readonly GetStatusResponse[]>;
  verify(request: VerifyRequest): Promise<VerifyResponse>;
  /** Ends after the events kept, or goes on without end when the request says follow. */
  watchEvents(request: WatchEventsRequest): AsyncIterable<Event>;
  listManagers(): Promise<ListManagersResponse>;
  removeManager(request: RemoveManagerRequest): Promise<RemoveManagerResponse>;
  /** The parts of a backup; takes as long as it takes. */
  createBackup(): AsyncIterable<CreateBackupResponse>;
}

/** The agent of this host. */
export interface Agent {
  attach(request: AttachRequest): Promise<AttachResponse>;
  detach(request: DetachRequest): Promise<DetachResponse>;
  getAgentStatus(): Promise<GetAgentStatusResponse>;
  listSandboxes(): Promise<ListSandboxesResponse>;
}

export interface Clients {
  /** Throws when no manager address is set. */
  readonly managers: Managers;
  readonly agent: Agent;
  close(): void;
}

/** Opens nothing yet: a client connects at its first call. The time of `settings.timeout` runs from here. */
export type Connect = (settings: ConnectionSettings, signal: AbortSignal) => Clients;
