import type { DescribeManagerResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';

/** How a manager asks another what it is. */
export interface Peers {
  /** Rejects when it does not answer before the signal aborts. */
  describe(address: string, signal: AbortSignal): Promise<DescribeManagerResponse>;
}
