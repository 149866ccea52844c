import type {
  DescribeManagerRequest,
  DescribeManagerResponse,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';

/** A manager, with the calls that other managers may make. */
export interface Peer {
  describeManager(request: DescribeManagerRequest): Promise<DescribeManagerResponse>;
}

/** How a manager asks another manager for its description. */
export interface Peers {
  /**
   * @throws CausewayError manager-unavailable (no manager answers there), timed-out (the signal aborted first), or the
   * manager's refusal
   */
  describe(address: string, signal: AbortSignal): Promise<DescribeManagerResponse>;
}
