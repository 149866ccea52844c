import { CausewayError, isCausewayError, type Name, unwrap } from '@causeway/model';
import { type Clock, milliseconds, seconds } from '@causeway/runtime';
import type { StoreMemberStatus } from '../../store/store.ts';
import type { Roster } from '../roster.ts';
import type { Membership } from './membership.ts';
import { canElect, checkMajority, planMembership } from './plan-membership.ts';
import type { RemovalRecord } from './removal-record.ts';

interface RemoveMemberParts {
  readonly membership: Membership;
  /** Lists the members also while no majority agrees on them. */
  readonly store: { members(): Promise<readonly StoreMemberStatus[]> };
  readonly roster: Pick<Roster, 'has' | 'forget'>;
  readonly record: Pick<RemovalRecord, 'read' | 'write'>;
  readonly clock: Clock;
}

interface RemoveMemberRequest {
  readonly name: Name;
  readonly force: boolean;
}

/**
 * How long to retry when etcd refuses. etcd counts a member as connected only after 5 s (server.go, HealthInterval), so a
 * member that has just come counts as down.
 */
const patience = seconds(8);
/** An election takes 1 to 2 s. Without a leader for longer than this there is no majority. */
const electionTime = seconds(3);
const pause = milliseconds(500);

/**
 * Removes a manager's etcd member from the cluster, and the manager from the roster. The removed etcd ends by itself when
 * it learns of the removal, and its manager ends with it. A call that is repeated with the same record finds out what the
 * first try has done.
 * @throws CausewayError manager-unknown, quorum-loss (also the store's own refusal, which no force overrides),
 * request-reused, store-unavailable, timed-out
 */
export async function removeMember(
  parts: RemoveMemberParts,
  request: RemoveMemberRequest,
  signal?: AbortSignal,
): Promise<void> {
  const { membership, roster, record, clock } = parts;
  await withMajority(parts, request, signal);
  let progress = await record.read();
  if (progress === 'done') return;
  const deadline = clock.now() + patience;
  let called: string = request.name;
  for (;;) {
    const members = await membership.list();
    const planned = planMembership(members, { kind: 'remove', ...request });
    const isGone = !planned.ok && planned.error.code === 'manager-unknown';
    if (isGone && (progress === 'begun' || (await roster.has(request.name)))) break;
    const step = unwrap(planned);
    if (step.kind !== 'remove') throw new CausewayError('internal', `a removal was planned as ${step.kind}`);
    if (progress === undefined) await record.write('begun');
    progress = 'begun';
    called = members.find(({ id }) => id === step.id)?.name || called;
    try {
      await membership.remove(step.id);
      break;
    } catch (error) {
      const passes = isCausewayError(error, 'quorum-loss') && clock.now() < deadline && signal?.aborted !== true;
      if (!passes) throw error;
      await clock.sleep(pause, signal);
    }
  }
  await roster.forget(called as Name);
  await record.write('done');
}

/**
 * Without a majority the members cannot agree on a removal. Waits for an election, unless too few members answer two
 * looks in a row.
 */
async function withMajority(
  { store, clock }: RemoveMemberParts,
  { name }: RemoveMemberRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = clock.now() + electionTime;
  for (let couldElect = true; ; ) {
    const members = await store.members();
    const checked = checkMajority(members, name);
    if (checked.ok) return;
    const isHopeless = !couldElect && !canElect(members);
    if (isHopeless || clock.now() >= deadline || signal?.aborted === true) throw checked.error;
    couldElect = canElect(members);
    await clock.sleep(pause, signal);
  }
}
