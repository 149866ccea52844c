import { CausewayError, isCausewayError, unwrap } from '@causeway/model';
import { type Clock, type Log, milliseconds, minutes } from '@causeway/runtime';
import type { Membership } from './membership.ts';
import { planMembership } from './plan-membership.ts';

interface JoinParts {
  readonly membership: Membership;
  readonly clock: Clock;
  readonly log: Log;
}

interface Joiner {
  readonly name: string;
  readonly peerUrl: string;
}

/** What the joining member's etcd must be started with. */
interface Admission {
  readonly id: string;
  readonly initialCluster: string;
}

/** Another member that is joining may take as long as it takes to copy a large store. */
const patience = minutes(5);
const pause = milliseconds(500);

/**
 * Adds a new member: when this resolves, the cluster expects it as a learner.
 * @throws CausewayError name-taken, manager-exists, invalid-argument (an address that others do not reach);
 * store-unavailable when it takes too long
 */
export async function joinCluster(parts: JoinParts, joiner: Joiner, signal: AbortSignal): Promise<Admission> {
  const { membership, clock, log } = parts;
  const deadline = clock.now() + patience;
  let added: string | undefined;
  for (;;) {
    const obstacle = await attempt();
    if (typeof obstacle !== 'string') return obstacle;
    if (signal.aborted) throw new CausewayError('shutting-down', 'the manager was stopped while it joined the cluster');
    if (clock.now() > deadline)
      throw new CausewayError('store-unavailable', `--join: the cluster did not accept this manager: ${obstacle}`);
    log.info('etcd.join-waiting', { reason: obstacle });
    await clock.sleep(pause, signal);
  }

  /** The admission, or the obstacle for now. */
  async function attempt(): Promise<Admission | string> {
    try {
      for (;;) {
        const request = { kind: 'join', ...joiner, ...(added !== undefined && { added }) } as const;
        const step = unwrap(planMembership(await membership.list(), request));
        switch (step.kind) {
          case 'start':
            return step;
          case 'wait':
            return `member ${step.learner.name || step.learner.peerUrls.join(', ')} is joining; if it can never finish, remove it (causeway manager remove)`;
          case 'remove':
            log.warn('etcd.leftover-removed', { member: step.id });
            await membership.remove(step.id);
            break;
          case 'add':
            added = await membership.add(step.peerUrl);
            log.info('etcd.member-added', { member: added, peerUrl: step.peerUrl });
            break;
        }
      }
    } catch (error) {
      const passes = isCausewayError(error) && (error.kind === 'unavailable' || error.code === 'quorum-loss');
      if (!passes) throw error;
      return error.message;
    }
  }
}

/**
 * Resolves when the learner has become a voter, which it can when it has caught up. Waits while the cluster is
 * unreachable.
 * @throws CausewayError manager-removed
 */
export async function promoteWhenInSync(parts: JoinParts, id: string, signal: AbortSignal): Promise<void> {
  const { membership, clock, log } = parts;
  let said = '';
  while (!signal.aborted) {
    let obstacle = 'it has not caught up';
    try {
      if ((await membership.promote(id)) === 'promoted') {
        log.info('etcd.member-promoted', { member: id });
        return;
      }
    } catch (error) {
      if (isCausewayError(error, 'manager-removed') || !isCausewayError(error)) throw error;
      obstacle = error.message;
    }
    if (obstacle !== said) log.info('etcd.promotion-waiting', { member: id, reason: obstacle });
    said = obstacle;
    await clock.sleep(pause, signal);
  }
}
