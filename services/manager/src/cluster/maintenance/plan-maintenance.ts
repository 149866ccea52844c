import { type Duration, minutes, seconds } from '@causeway/runtime';
import type { StoreMemberStatus } from '../../store/store.ts';

/** The store was at this revision at this time of our monotonic clock. */
export interface Sample {
  readonly at: number;
  readonly revision: bigint;
}

/** One try to get out of NOSPACE. */
export interface SpaceRecovery {
  readonly since: number;
  /** Tries that came before it without lasting success. */
  readonly failed: number;
  readonly step: 'compact' | 'defragment' | 'done';
  readonly defragmented: ReadonlySet<string>;
}

/** What is known at one moment. */
export interface MaintenanceState {
  readonly now: number;
  readonly members: readonly StoreMemberStatus[];
  /** Oldest first. */
  readonly samples: readonly Sample[];
  readonly revision: bigint;
  /** The revision that was compacted to last. */
  readonly compacted: bigint;
  /** When each member was defragmented last, as far as we know. */
  readonly defragmented: ReadonlyMap<string, number>;
  readonly recovery?: SpaceRecovery;
}

export interface MaintenanceSettings {
  /** How much of the past is kept for those who resume; 0: never compact, somebody else does. */
  readonly history: Duration;
}

export type MaintenanceStep =
  | { readonly kind: 'compact'; readonly revision: bigint; readonly recovery?: SpaceRecovery }
  | { readonly kind: 'defragment'; readonly member: StoreMemberStatus; readonly recovery?: SpaceRecovery }
  | { readonly kind: 'disarm'; readonly recovery: SpaceRecovery }
  | { readonly kind: 'rest' };

/** Between samples, so also how much longer than asked for the past may be kept. */
export const sampleInterval = minutes(1);

/** Free space below this is not worth a member's silence: etcd needs about a second for each 100 MiB. */
const worthwhile = 64 * 1024 * 1024;
/** A database is wasteful when less than this share of it is in use; etcd reuses free pages, so some are well kept. */
const wasteful = 0.5;
const defragmentInterval = minutes(60);

/** A try to get out of NOSPACE that did not last is followed by the next after this, twice as long each time, up to the longest. */
const firstRetry = seconds(30);
const longestRetry = minutes(10);

/**
 * The next thing to do for the store; to be asked again after each, with the state as it is then.
 *
 * NOSPACE first: compact to the present, defragment one member after the other, take the alarm back. Then the past beyond `history`;
 * then waste, one member at a time, the leader last, and only while every other voter is well: a member that is being
 * defragmented answers nobody, so it counts as down.
 */
export function planMaintenance(state: MaintenanceState, settings: MaintenanceSettings): MaintenanceStep {
  if (state.members.some(({ alarms }) => alarms.includes('NOSPACE'))) return planSpaceRecovery(state);
  const past = expired(state, settings);
  if (past !== undefined) return { kind: 'compact', revision: past };
  const member = mostWasteful(state);
  return member === undefined ? { kind: 'rest' } : { kind: 'defragment', member };
}

/** The samples with the present one, without those that no compaction will ask for again. */
export function addSample(
  samples: readonly Sample[],
  sample: Sample,
  { history }: MaintenanceSettings,
): readonly Sample[] {
  const newest = samples.at(-1);
  if (newest !== undefined && sample.at - newest.at < sampleInterval) return samples;
  const old = samples.filter(({ at }) => at <= sample.at - history);
  return [...samples.slice(Math.max(0, old.length - 1)), sample];
}

/** The newest revision that is older than the history to keep, when it has not been compacted to. */
function expired(state: MaintenanceState, { history }: MaintenanceSettings): bigint | undefined {
  if (history === 0) return undefined;
  const old = state.samples.findLast(({ at }) => at <= state.now - history);
  return old !== undefined && old.revision > state.compacted ? old.revision : undefined;
}

function mostWasteful({ now, members, defragmented }: MaintenanceState): StoreMemberStatus | undefined {
  if (members.some(({ healthy, learner }) => !healthy && !learner)) return undefined;
  const rested = ({ id }: StoreMemberStatus): boolean =>
    now - (defragmented.get(id) ?? -Infinity) >= defragmentInterval;
  const isWasteful = ({ size, sizeInUse }: StoreMemberStatus): boolean =>
    size - sizeInUse >= worthwhile && sizeInUse < size * wasteful;
  return leaderLast(members).find((member) => !member.learner && isWasteful(member) && rested(member));
}

/** none -> compact -> defragment (one member after the other, then the alarm is taken back) -> done -> compact … */
function planSpaceRecovery(state: MaintenanceState): MaintenanceStep {
  const { now, revision, members } = state;
  const recovery = state.recovery ?? begin(now, 0);
  switch (recovery.step) {
    case 'compact':
      return { kind: 'compact', revision, recovery: { ...recovery, step: 'defragment' } };
    case 'defragment': {
      const waiting = (member: StoreMemberStatus): boolean =>
        member.healthy && !member.learner && !recovery.defragmented.has(member.id);
      // Whatever it says is in use: bbolt counts what a commit freed at the commit after it, and in NOSPACE there is none.
      const member = leaderLast(members).find(waiting);
      if (member === undefined) return { kind: 'disarm', recovery: { ...recovery, step: 'done' } };
      const defragmented = new Set([...recovery.defragmented, member.id]);
      return { kind: 'defragment', member, recovery: { ...recovery, defragmented } };
    }
    case 'done':
      return now < recovery.since + retryAfter(recovery.failed)
        ? { kind: 'rest' }
        : planSpaceRecovery({ ...state, recovery: begin(now, recovery.failed + 1) });
  }
}

function begin(since: number, failed: number): SpaceRecovery {
  return { since, failed, step: 'compact', defragmented: new Set() };
}

function retryAfter(failed: number): number {
  return Math.min(firstRetry * 2 ** failed, longestRetry);
}

function leaderLast(members: readonly StoreMemberStatus[]): readonly StoreMemberStatus[] {
  return [...members.filter(({ leader }) => !leader), ...members.filter(({ leader }) => leader)];
}
