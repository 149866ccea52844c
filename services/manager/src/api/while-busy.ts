import { isCausewayError } from '@causeway/model';

/** Managers renew together when the CA changes; each may come between one time. */
const maxTries = 10;

/**
 * Makes a change that is prepared for a state of the cluster, and prepares the change anew if another came first.
 * @throws CausewayError as the change
 */
export async function whileBusy<Done>(change: () => Promise<Done>): Promise<Done> {
  for (let tries = 1; ; tries++)
    try {
      return await change();
    } catch (error) {
      if (!isCausewayError(error, 'busy') || tries === maxTries) throw error;
    }
}
