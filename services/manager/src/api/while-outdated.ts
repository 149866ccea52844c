import { Outdated } from '../plan/outdated.ts';

/** Managers renew together when the CA changes; each may come between one time. */
const maxTries = 10;

/**
 * Makes a change that is prepared for a state of the cluster, and prepares the change anew if another came first. Any other refusal, such
 * as that of a manager that is overloaded, is the caller's.
 * @throws CausewayError as the change
 */
export async function whileOutdated<Done>(change: () => Promise<Done>): Promise<Done> {
  for (let tries = 1; ; tries++)
    try {
      return await change();
    } catch (error) {
      if (!(error instanceof Outdated) || tries === maxTries) throw error;
    }
}
