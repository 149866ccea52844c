import {
  addressOf,
  type Endpoint,
  type EndpointId,
  type Ip,
  isCausewayError,
  type Labels,
  type Name,
  type NodeId,
  type RequestId,
  type Stamp,
} from '@causeway/model';
import { endpointFromMessage, type Failover } from '@causeway/proto';
import {
  ClaimEndpointRequest,
  type DetachEndpointResponse,
  ReleaseEndpointRequest,
  ReleaseReason,
} from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { type Clock, type Duration, type Random, randomUuid } from '@causeway/runtime';
import { ClaimCalls } from './claim-calls.ts';
import type { ManagerLink } from './link.ts';

export interface Claim {
  /** Absent: a new request id is made. */
  readonly requestId?: RequestId;
  /** Name or id. */
  readonly network: string;
  readonly name: Name;
  readonly addresses: readonly Ip[];
  readonly labels: Labels;
}

export interface Resume extends Omit<Claim, 'requestId'> {
  readonly id: EndpointId;
}

export interface ClaimedEndpoint {
  readonly endpoint: Endpoint;
  readonly claimed: Stamp;
}

export interface ReleaseOptions {
  readonly requestId?: RequestId;
  /** Absent: a caller asked for the release. */
  readonly reason?: ReleaseReason;
  readonly signal?: AbortSignal;
}

/** Claims endpoints for this host from the managers, and releases them. */
export class Claims {
  readonly #link: ManagerLink;
  readonly #calls: ClaimCalls;
  readonly #failover: Failover;
  readonly #random: Random;
  readonly #nodeId: NodeId;

  constructor(
    modules: {
      readonly link: ManagerLink;
      readonly failover: Failover;
      readonly clock: Clock;
      readonly random: Random;
    },
    settings: { readonly nodeId: NodeId },
  ) {
    this.#link = modules.link;
    this.#calls = new ClaimCalls(modules);
    this.#failover = modules.failover;
    this.#random = modules.random;
    this.#nodeId = settings.nodeId;
  }

  async claim(claim: Claim, timeout: Duration): Promise<ClaimedEndpoint> {
    const { network, name, requestId = randomUuid(this.#random) } = claim;
    const addresses = [...claim.addresses];
    const labels = { ...claim.labels };
    const nodeId = this.#nodeId;
    const request = ClaimEndpointRequest.create({ requestId, network, name, nodeId, addresses, labels });
    const { endpoint, epoch } = await this.#calls.claim(request, timeout);
    return { endpoint: endpointFromMessage(endpoint), claimed: { epoch, revision: endpoint.revision } };
  }

  /**
   * Takes over, by its id, the endpoint that an earlier claim of this host has left. Throws "endpoint-exists" when the
   * endpoint is another host's.
   */
  async resume({ id, network, name, addresses, labels }: Resume, timeout: Duration): Promise<ClaimedEndpoint> {
    const request = ClaimEndpointRequest.create({
      requestId: randomUuid(this.#random),
      network,
      name,
      nodeId: this.#nodeId,
      addresses: [...addresses],
      labels: { ...labels },
      endpointId: id,
    });
    const { endpoint, epoch } = await this.#calls.claim(request, timeout);
    return { endpoint: endpointFromMessage(endpoint), claimed: { epoch, revision: endpoint.revision } };
  }

  /** Call when the attach of an endpoint from `claim` or `resume` has ended, well or not. */
  settled(): void {
    this.#calls.settled();
  }

  /** Claims an endpoint again that a restored store does not know: exactly as it was, or not at all. */
  async reclaim(
    { id, network, name, addresses, labels }: Endpoint,
    timeout: Duration,
    signal: AbortSignal,
  ): Promise<Stamp> {
    const request = ClaimEndpointRequest.create({
      requestId: randomUuid(this.#random),
      network,
      name,
      nodeId: this.#nodeId,
      addresses: addresses.map(addressOf),
      labels: { ...labels },
      endpointId: id,
    });
    const { endpoint, epoch } = await this.#failover.run(
      timeout,
      (address, timeout, isRetry, attemptSignal) =>
        this.#link.claimEndpoint(address, request, { timeout, signal: attemptSignal, isRetry }),
      { signal },
    );
    return { epoch, revision: endpoint?.revision ?? 0n };
  }

  /** Detaches an endpoint of any host from its network. */
  async detachAnywhere(
    requestId: RequestId,
    endpoint: string,
    { force, timeout }: { readonly force: boolean; readonly timeout: Duration },
  ): Promise<DetachEndpointResponse> {
    const request = { requestId, endpoint, force };
    return await this.#failover.run(timeout, (address, left, isRetry, attemptSignal) =>
      this.#link.detachEndpoint(address, request, { timeout: left, isRetry, signal: attemptSignal }),
    );
  }

  /**
   * Returns the store revision of the release; undefined when the managers no longer knew the endpoint, or this host: they
   * have released the endpoints of a removed host.
   */
  async release(endpointId: EndpointId, timeout: Duration, options: ReleaseOptions = {}): Promise<bigint | undefined> {
    const { requestId = randomUuid(this.#random), signal, reason = ReleaseReason.UNSPECIFIED } = options;
    const request = ReleaseEndpointRequest.create({ requestId, endpointId, nodeId: this.#nodeId, reason });
    try {
      const { revision } = await this.#failover.run(
        timeout,
        (address, left, isRetry, attemptSignal) =>
          this.#link.releaseEndpoint(address, request, { timeout: left, isRetry, signal: attemptSignal }),
        { signal },
      );
      return revision;
    } catch (error) {
      if (isCausewayError(error, 'endpoint-unknown') || isCausewayError(error, 'node-removed')) return undefined;
      throw error;
    }
  }
}
