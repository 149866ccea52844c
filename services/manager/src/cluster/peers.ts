import type {
  DescribeManagerRequest,
  DescribeManagerResponse,
  ReportRefusalsRequest,
  ReportRefusalsResponse,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';

/** A manager, with the calls that other managers may make. */
export interface Peer {
  describeManager(request: DescribeManagerRequest): Promise<DescribeManagerResponse>;
  reportRefusals(request: ReportRefusalsRequest): Promise<ReportRefusalsResponse>;
}

/** What a manager asks another manager, and tells it. */
export interface Peers {
  /**
   * @throws CausewayError manager-unavailable (no manager answers there), timed-out (the signal aborted first), or the
   * manager's refusal
   */
  describe(address: string, signal: AbortSignal): Promise<DescribeManagerResponse>;
  /** Tells the leader what this manager has refused. @throws CausewayError as `describe` */
  reportRefusals(address: string, request: ReportRefusalsRequest, signal: AbortSignal): Promise<void>;
}
