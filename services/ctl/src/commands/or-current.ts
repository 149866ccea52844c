import { isCausewayError } from '@causeway/model';
import type { Answer } from '../answer.ts';
import type { Managers } from '../clients.ts';
import { networkAnswer } from '../render/network.ts';
import { present } from './present.ts';

/**
 * When a change of a network is refused because it was based on an old revision, the answer contains the network as it is
 * now, so that the user can look at it and try again.
 */
export async function orCurrent(
  managers: Pick<Managers, 'getNetwork'>,
  network: string,
  now: number,
  change: () => Promise<Answer>,
): Promise<Answer> {
  try {
    return await change();
  } catch (error) {
    if (!isCausewayError(error) || error.code !== 'revision-conflict') throw error;
    const current = await managers.getNetwork({ network, atLeast: BigInt(error.data['revision'] ?? 0) });
    return { ...networkAnswer(present(current.network, 'network'), now), problem: error };
  }
}
