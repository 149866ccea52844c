import { isCausewayError, unwrap } from '@causeway/model';
import { type Clock, milliseconds, seconds } from '@causeway/runtime';
import type { Membership } from './membership.ts';
import { planMembership } from './plan-membership.ts';

export interface RemoveMemberParts {
  readonly membership: Membership;
  readonly clock: Clock;
}

/** etcd counts a member as connected only 5 s after it was (server.go, HealthInterval), so what has just come counts as down for it. */
const patience = seconds(8);
const pause = milliseconds(500);

/**
 * Takes the member a manager supervises out of the cluster; its etcd ends by itself when it hears of that, and its manager with it.
 * @throws CausewayError manager-unknown, quorum-loss (also the store's own refusal, which no force overrides), store-unavailable, timed-out
 */
export async function removeMember(
  { membership, clock }: RemoveMemberParts,
  request: { readonly name: string; readonly force: boolean },
  signal?: AbortSignal,
): Promise<void> {
  const deadline = clock.now() + patience;
  for (;;) {
    const step = unwrap(planMembership(await membership.list(), { kind: 'remove', ...request }));
    if (step.kind !== 'remove') return;
    try {
      return await membership.remove(step.id);
    } catch (error) {
      const passes = isCausewayError(error, 'quorum-loss') && clock.now() < deadline && signal?.aborted !== true;
      if (!passes) throw error;
      await clock.sleep(pause, signal);
    }
  }
}
