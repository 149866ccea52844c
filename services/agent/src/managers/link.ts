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
  /** The request was sent before, and no answer came. */
  readonly isRetry?: boolean;
}

/**
 * Calls to managers, each by its address. Failures are CausewayErrors; "not-leader" carries `leader`, the address to try.
 */
export interface ManagerLink {
  /** `relay`: this host cannot reach the leader itself, so the manager may relay the session to the leader. */
  connect(address: string, options?: { readonly relay: boolean }): SessionChannel;
  /** Whether a connection to the manager exists or can be made now. */
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
  /** HOST:PORT of the leader; set once the manager has said that it relays the session to the leader. */
  readonly relayedTo?: string | undefined;
  /** Throws when the connection breaks; ends when the manager closes the stream. */
  readonly messages: AsyncIterable<ConnectResponse>;
  close(): void;
}
