import { CausewayError } from '@causeway/model';
import type { GetStatusResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { type Clock, type Duration, milliseconds, seconds } from '@causeway/runtime';

/** What a manager reports about etcd and the leader. */
type StoreReport = Pick<GetStatusResponse, 'store' | 'managers'>;

/**
 * electing: a majority of the members answers and has no leader yet.
 * silent: no member answers, for example while the only member restarts.
 * lost: some members answer, but too few for a majority, and none of them has a leader.
 */
export type Standing = 'there' | 'electing' | 'silent' | 'lost';

/** The mildest first: a manager that is cut off from etcd does not count while another manager reaches etcd. */
const mildestFirst: readonly Standing[] = ['there', 'electing', 'silent', 'lost'];

/** How long each may last before a command gives up. An election of etcd takes up to 4 s, a restart about 2 s. */
const patience: Readonly<Record<Standing, Duration>> = {
  there: milliseconds(Number.POSITIVE_INFINITY),
  electing: seconds(5),
  silent: seconds(3),
  lost: seconds(1),
};

/** A command that ends before this does not make the managers ask etcd. */
const firstLook = milliseconds(300);
const whileThere = seconds(1);
const whileInDoubt = milliseconds(200);

/** The error why nothing can be written to etcd at this moment; undefined: etcd has a majority. */
export function storeProblem({ store }: Pick<StoreReport, 'store'>): CausewayError | undefined {
  if (store === undefined)
    return new CausewayError('store-unavailable', 'etcd does not answer the manager that was asked');
  const { voters, healthy, needed } = countsOf(store);
  if (healthy >= needed) return undefined;
  const message = `etcd has no majority: ${healthy} of ${voters.length} members are healthy, and ${needed} are needed`;
  return new CausewayError('store-unavailable', message, { healthy, needed });
}

/** By the reports of all managers that answer. When no manager answers, the command does not wait for etcd. */
export function standingOf(reports: readonly StoreReport[]): Standing {
  const standings = reports.map(standingBy);
  return mildestFirst.find((standing) => standings.includes(standing)) ?? 'there';
}

function standingBy({ store, managers }: StoreReport): Standing {
  // A manager leads only as long as etcd renews its lease, whatever the members answer to the manager that was asked.
  if (managers.some(({ state }) => state === 'leader')) return 'there';
  if (store === undefined) return 'silent';
  const { voters, healthy, needed } = countsOf(store);
  // Only a majority of members has a leader. So the members that did not answer in time are only slow.
  if (healthy > 0) return 'there';
  const answering = voters.filter(({ revision }) => revision > 0n).length;
  if (answering === 0) return 'silent';
  return answering < needed ? 'lost' : 'electing';
}

function countsOf({ members }: NonNullable<StoreReport['store']>) {
  const voters = members.filter(({ learner }) => !learner);
  const healthy = voters.filter((member) => member.healthy).length;
  return { voters, healthy, needed: Math.floor(voters.length / 2) + 1 };
}

export interface Looking {
  /** Statuses of all managers that answer. */
  readonly look: () => Promise<readonly StoreReport[]>;
  readonly clock: Clock;
}

/** Resolves with the reason when etcd has had no majority for too long; with undefined at the signal. */
export async function majorityLost({ look, clock }: Looking, signal: AbortSignal): Promise<CausewayError | undefined> {
  let since: number | undefined;
  await clock.sleep(firstLook, signal);
  while (!signal.aborted) {
    const began = clock.now();
    const reports = await look();
    const standing = standingOf(reports);
    since = standing === 'there' ? undefined : (since ?? began);
    if (since !== undefined && clock.now() - since >= patience[standing])
      return reports.map(storeProblem).find(isProblem);
    await clock.sleep(since === undefined ? whileThere : whileInDoubt, signal);
  }
  return undefined;
}

function isProblem(problem: CausewayError | undefined): problem is CausewayError {
  return problem !== undefined;
}
