import { CausewayError } from '@causeway/model';
import type { DescribeManagerResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Peer, Peers } from '../cluster/peers.ts';

/** Managers of one process that ask each other. A manager that is not found does not answer. */
export class MemoryPeers implements Peers {
  readonly #find: (address: string) => Peer | undefined;

  constructor(find: (address: string) => Peer | undefined) {
    this.#find = find;
  }

  async describe(address: string, signal: AbortSignal): Promise<DescribeManagerResponse> {
    const peer = this.#find(address);
    if (peer === undefined) throw new CausewayError('manager-unavailable', `${address} does not answer`);
    return await Promise.race([givenUp(address, signal), peer.describeManager({})]);
  }
}

function givenUp(address: string, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = (): void => reject(new CausewayError('timed-out', `${address} did not answer in time`));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
  });
}
