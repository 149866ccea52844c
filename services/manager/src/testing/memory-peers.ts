import { CausewayError } from '@causeway/model';
import type { DescribeManagerResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Manager } from '../manager.ts';
import type { Peers } from '../membership/peers.ts';

/** Managers of one process ask one another; who is not found does not answer. */
export class MemoryPeers implements Peers {
  readonly #find: (address: string) => Manager | undefined;

  constructor(find: (address: string) => Manager | undefined) {
    this.#find = find;
  }

  async describe(address: string): Promise<DescribeManagerResponse> {
    const manager = this.#find(address);
    if (manager === undefined) throw new CausewayError('manager-unavailable', `${address} does not answer`);
    return await manager.api.cluster.describeManager({});
  }
}
