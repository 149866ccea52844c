import { CausewayError } from '@causeway/model';
import type {
  DescribeManagerResponse,
  ReportRefusalsRequest,
} from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import type { Api } from '../api/index.ts';
import type { Peer, Peers } from '../cluster/peers.ts';
import { callContext } from './call-context.ts';

/** Managers of one process that ask each other. A manager that is not found does not answer. */
export class MemoryPeers implements Peers {
  readonly #find: (address: string) => Peer | undefined;

  constructor(find: (address: string) => Peer | undefined) {
    this.#find = find;
  }

  describe(address: string, signal: AbortSignal): Promise<DescribeManagerResponse> {
    return this.#ask(address, signal, (peer) => peer.describeManager({}));
  }

  async reportRefusals(address: string, request: ReportRefusalsRequest, signal: AbortSignal): Promise<void> {
    await this.#ask(address, signal, (peer) => peer.reportRefusals(request));
  }

  async #ask<Answer>(address: string, signal: AbortSignal, ask: (peer: Peer) => Promise<Answer>): Promise<Answer> {
    const peer = this.#find(address);
    if (peer === undefined) throw new CausewayError('manager-unavailable', `${address} does not answer`);
    return await Promise.race([givenUp(address, signal), ask(peer)]);
  }
}

/** A manager in this process, as the manager with that name calls it. */
export function peerOf({ cluster }: Pick<Api, 'cluster'>, by: string): Peer {
  const call = callContext({ peer: { kind: 'manager', name: by } });
  return {
    describeManager: (request) => cluster.describeManager(request),
    reportRefusals: (request) => cluster.reportRefusals(request, call),
  };
}

function givenUp(address: string, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = (): void => reject(new CausewayError('timed-out', `${address} did not answer in time`));
    if (signal.aborted) giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
  });
}
