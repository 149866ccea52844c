import type {
  ClaimEndpointRequest,
  ClaimEndpointResponse,
  ClaimEndpointsRequest,
  ClaimEndpointsResponse,
  DetachEndpointRequest,
  DetachEndpointResponse,
  ReleaseEndpointRequest,
  ReleaseEndpointResponse,
} from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import type { ConnectRequest, ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Duration } from '@causeway/runtime';

export interface CallLimits {
  readonly timeout: Duration;
  readonly signal?: AbortSignal;
  /** It was sent before, and no answer came. */
  readonly again?: boolean;
}

/** The way to one manager, by its address. Failures are CausewayErrors; "not-leader" carries `leader`, the address to try. */
export interface ManagerLink {
  /** `relay`: this host cannot reach the leader itself, so the manager may send the session on. */
  connect(address: string, options?: { readonly relay: boolean }): SessionChannel;
  /** Whether a connection to it stands, or can be made now. */
  reaches(address: string): Promise<boolean>;
  claimEndpoint(address: string, request: ClaimEndpointRequest, limits: CallLimits): Promise<ClaimEndpointResponse>;
  claimEndpoints(address: string, request: ClaimEndpointsRequest, limits: CallLimits): Promise<ClaimEndpointsResponse>;
  releaseEndpoint(
    address: string,
    request: ReleaseEndpointRequest,
    limits: CallLimits,
  ): Promise<ReleaseEndpointResponse>;
  detachEndpoint(address: string, request: DetachEndpointRequest, limits: CallLimits): Promise<DetachEndpointResponse>;
  close(): void;
}

/** The agent's end of its session. */
export interface SessionChannel {
  send(request: ConnectRequest): void;
  /** Host:port of the leader, once the manager has said that it sends the session on to it. */
  readonly relayedTo?: string | undefined;
  /** Throws when the connection breaks, ends when the manager closes it. */
  readonly messages: AsyncIterable<ConnectResponse>;
  close(): void;
}
