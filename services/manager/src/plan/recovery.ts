import { CausewayError, type Name } from '@causeway/model';
import { type Duration, seconds } from '@causeway/runtime';
import type { View } from '../store/view.ts';
import { type Intent, nothingToDo } from './intent.ts';

/**
 * A store that was restored from a backup does not know which addresses were given after the backup. Containers still use
 * these addresses, so no address is given until every host has claimed again what it holds. The key `recovery` exists until
 * then.
 */

/**
 * Least time for a recovery: the backup lacks hosts that joined after it. Their agents try to reach a manager every second.
 */
export const unknownHostWindow: Duration = seconds(5);

/**
 * When the recovery is over, as far as is known now, ms on the monotonic clock. `all`: every known host has reported that
 * everything it held is claimed again or was refused. `since`: when this manager began to lead.
 */
export function recoveryEnd(all: boolean, since: number, cooldown: Duration): number {
  return since + Math.max(unknownHostWindow, all ? 0 : cooldown);
}

/** @throws CausewayError recovering */
export function checkRecovered(view: Pick<View, 'recovering'>): void {
  if (!view.recovering) return;
  const message =
    'the store was restored from a backup, and hosts are claiming their endpoints again: try again in a few seconds';
  throw new CausewayError('recovering', message);
}

/**
 * Ends the recovery: addresses, subnets and VNIs are given again. `missingAtEnd` is called when the end is planned. It
 * returns the hosts that did not report in time; undefined if the recovery is not over yet: then nothing is written, and
 * the reply is undefined too.
 */
export function endRecovery(missingAtEnd: () => readonly Name[] | undefined): Intent<readonly Name[] | undefined> {
  return {
    plan: ({ keys }) => {
      const missing = missingAtEnd();
      if (missing === undefined) return nothingToDo(undefined);
      const without = missing.length === 0 ? '' : `, not waiting any longer for ${missing.join(', ')}`;
      const message = `hosts have claimed again what they hold${without}`;
      return {
        compares: [],
        writes: [{ kind: 'delete', key: keys.recovery }],
        takes: [],
        events: [{ kind: 'cluster.recovered', message }],
        reply: missing,
      };
    },
  };
}
