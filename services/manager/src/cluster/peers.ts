import type {
  DescribeManagerRequest,
  DescribeManagerResponse,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';

/** A manager, as far as another may ask it. */
export interface Peer {
  describeManager(request: DescribeManagerRequest): Promise<DescribeManagerResponse>;
}

/** How a manager asks another what it is. */
export interface Peers {
  /** @throws CausewayError manager-unavailable (nobody is there), timed-out (the signal aborted first), or its refusal */
  describe(address: string, signal: AbortSignal): Promise<DescribeManagerResponse>;
}
