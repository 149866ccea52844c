import { type Duration, minutes, seconds } from '@causeway/runtime';
import type { StoreMemberStatus } from '../../store/store.ts';

/** The store's revision at one time on this manager's monotonic clock. */
export interface Sample {
  readonly at: number;
  readonly revision: bigint;
}

/** One attempt to recover from NOSPACE. */
export interface SpaceRecovery {
  readonly since: number;
  /** Number of attempts before this one that had no lasting success. */
  readonly failed: number;
  readonly step: 'compact' | 'defragment' | 'done';
  readonly defragmented: ReadonlySet<string>;
}

/** What this manager knows at the time `now`. */
export interface MaintenanceState {
  readonly now: number;
  readonly members: readonly StoreMemberStatus[];
  /** Oldest sample first. */
  readonly samples: readonly Sample[];
  readonly revision: bigint;
  /** Revision of the last compaction. */
  readonly compacted: bigint;
  /** When each member was last defragmented, as far as this manager knows. */
  readonly defragmented: ReadonlyMap<string, number>;
  readonly recovery?: SpaceRecovery;
}

export interface MaintenanceSettings {
  /** How much of the past is kept for watches that resume. 0: the managers never compact, because something else does. */
  readonly history: Duration;
}

export type MaintenanceStep =
  | { readonly kind: 'compact'; readonly revision: bigint; readonly recovery?: SpaceRecovery }
  | { readonly kind: 'defragment'; readonly member: StoreMemberStatus; readonly recovery?: SpaceRecovery }
  | { readonly kind: 'disarm'; readonly recovery: SpaceRecovery }
  | { readonly kind: 'rest' };

/** Time between samples. The past may be kept this much longer than configured. */
export const sampleInterval = minutes(1);

/**
 * Bytes. Less free space is not worth a defragmentation: the member does not answer for about a second for each 100 MiB.
 */
const worthwhile = 64 * 1024 * 1024;
/**
 * A database is wasteful when less than this share of it is in use. etcd reuses free pages, so some free space is useful.
 */
const wasteful = 0.5;
const defragmentInterval = minutes(60);

/**
 * Time from one attempt to recover from NOSPACE to the next, when the first had no lasting success. It doubles with each
 * attempt, up to `longestRetry`.
 */
const firstRetry = seconds(30);
const longestRetry = minutes(10);

/**
 * The next step of the store's maintenance. Plan again after each step, with the state as it is then.
 *
 * NOSPACE comes first: compact to the present, defragment one member after the other, disarm the alarm. Then compact the
 * past beyond `history`. Then defragment wasteful members, one at a time, the leader last, and only while every voter is
 * healthy: a member that is being defragmented does not answer, so it counts as down.
 */
export function planMaintenance(state: MaintenanceState, settings: MaintenanceSettings): MaintenanceStep {
  if (state.members.some(({ alarms }) => alarms.includes('NOSPACE'))) return planSpaceRecovery(state);
  const past = expired(state, settings);
  if (past !== undefined) return { kind: 'compact', revision: past };
  const member = mostWasteful(state);
  return member === undefined ? { kind: 'rest' } : { kind: 'defragment', member };
}

/** The samples with the new one, without those that no later compaction needs. */
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

/** The newest sampled revision that is older than `history`; undefined when it has been compacted already. */
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

/** none -> compact -> defragment (one member after the other, then the alarm is disarmed) -> done -> compact … */
function planSpaceRecovery(state: MaintenanceState): MaintenanceStep {
  const { now, revision, members } = state;
  const recovery = state.recovery ?? begin(now, 0);
  switch (recovery.step) {
    case 'compact':
      return { kind: 'compact', revision, recovery: { ...recovery, step: 'defragment' } };
    case 'defragment': {
      const waiting = (member: StoreMemberStatus): boolean =>
        member.healthy && !member.learner && !recovery.defragmented.has(member.id);
      // Even if the member reports no free space: bbolt counts what a commit has freed only at the next commit, and in
      // NOSPACE there is no next commit.
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
