import { minutes, seconds } from '@causeway/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoreMemberStatus } from '../../store/store.ts';
import {
  addSample,
  type MaintenanceState,
  type MaintenanceStep,
  planMaintenance,
  type Sample,
  type SpaceRecovery,
  sampleInterval,
} from './plan-maintenance.ts';

const MiB = 1024 * 1024;
const settings = { history: minutes(60) };

function member(name: string, state: Partial<StoreMemberStatus> = {}): StoreMemberStatus {
  const place = { id: `id-${name}`, name, peerUrls: [], clientUrls: [], learner: false };
  return {
    ...place,
    healthy: true,
    leader: name === 'm1',
    size: 10 * MiB,
    sizeInUse: 9 * MiB,
    revision: 1n,
    lag: 0n,
    alarms: [],
    ...state,
  };
}

const wasteful = { size: 500 * MiB, sizeInUse: 100 * MiB };
const full = { size: 500 * MiB, sizeInUse: 499 * MiB, alarms: ['NOSPACE'] } as const;

function state(members: readonly StoreMemberStatus[], rest: Partial<MaintenanceState> = {}): MaintenanceState {
  const now = minutes(600);
  return { now, members, samples: [], revision: 1_000n, compacted: 0n, defragmented: new Map(), ...rest };
}

const ago = (age: number, revision: bigint): Sample => ({ at: minutes(600) - age, revision });
const recovery = (rest: Partial<SpaceRecovery>): SpaceRecovery => ({
  since: minutes(600),
  failed: 0,
  step: 'compact',
  defragmented: new Set(),
  ...rest,
});

/** A short text that identifies a step. */
function brief(step: MaintenanceStep): string {
  if (step.kind === 'compact') return `compact ${step.revision}`;
  return step.kind === 'defragment' ? `defragment ${step.member.name}` : step.kind;
}

describe('planMaintenance', () => {
  const three = [member('m1'), member('m2'), member('m3')];
  it.each<[string, MaintenanceState, string]>([
    ['nothing to do', state(three), 'rest'],
    ['no past old enough', state(three, { samples: [ago(minutes(59), 7n)] }), 'rest'],
    [
      'the newest revision that is old enough is compacted to',
      state(three, { samples: [ago(minutes(90), 5n), ago(minutes(61), 6n), ago(minutes(10), 9n)] }),
      'compact 6',
    ],
    ['not twice to the same', state(three, { samples: [ago(minutes(61), 6n)], compacted: 6n }), 'rest'],
    ['one that wastes is defragmented', state([member('m1'), member('m2', wasteful)]), 'defragment m2'],
    ['the leader last', state([member('m1', wasteful), member('m2', wasteful)]), 'defragment m2'],
    [
      'the leader when its turn comes',
      state([member('m1', wasteful), member('m2')], { defragmented: new Map([['id-m2', minutes(599)]]) }),
      'defragment m1',
    ],
    [
      'not one that was a moment ago',
      state([member('m1', wasteful)], { defragmented: new Map([['id-m1', minutes(599)]]) }),
      'rest',
    ],
    [
      'again an hour later',
      state([member('m1', wasteful)], { defragmented: new Map([['id-m1', minutes(540)]]) }),
      'defragment m1',
    ],
    [
      'not while another voter is down',
      state([member('m1'), member('m2', wasteful), member('m3', { healthy: false })]),
      'rest',
    ],
    [
      'a learner that is down is no reason to wait',
      state([member('m1'), member('m2', wasteful), member('m3', { healthy: false, learner: true })]),
      'defragment m2',
    ],
    ['never a learner', state([member('m1'), member('m2', { ...wasteful, learner: true })]), 'rest'],
    ['not for little', state([member('m1', { size: 60 * MiB, sizeInUse: MiB })]), 'rest'],
    ['the past comes before waste', state([member('m1', wasteful)], { samples: [ago(minutes(61), 6n)] }), 'compact 6'],
    [
      'NOSPACE comes before all: the whole past goes',
      state([member('m1', full), member('m2', wasteful)]),
      'compact 1000',
    ],
    [
      'NOSPACE: then one member after the other, the leader last',
      state([member('m1', { ...full, sizeInUse: 3 * MiB }), member('m2', { ...full, sizeInUse: 3 * MiB })], {
        recovery: recovery({ step: 'defragment' }),
      }),
      'defragment m2',
    ],
    [
      'NOSPACE: each once',
      state([member('m1', { ...full, sizeInUse: 3 * MiB }), member('m2', { ...full, sizeInUse: 3 * MiB })], {
        recovery: recovery({ step: 'defragment', defragmented: new Set(['id-m2']) }),
      }),
      'defragment m1',
    ],
    [
      'NOSPACE: not one that is down',
      state([member('m1', full), member('m2', { healthy: false })], {
        recovery: recovery({ step: 'defragment', defragmented: new Set(['id-m1']) }),
      }),
      'disarm',
    ],
    [
      'NOSPACE: then the alarm is taken back',
      state([member('m1', { ...full, size: 4 * MiB, sizeInUse: 4 * MiB })], {
        recovery: recovery({ step: 'defragment', defragmented: new Set(['id-m1']) }),
      }),
      'disarm',
    ],
    [
      'NOSPACE: one that says all is in use may not have counted what the compaction freed',
      state([member('m1', full)], { recovery: recovery({ step: 'defragment' }) }),
      'defragment m1',
    ],
    ['NOSPACE again at once: waits', state([member('m1', full)], { recovery: recovery({ step: 'done' }) }), 'rest'],
    [
      'NOSPACE again a while later: all over again',
      state([member('m1', full)], { recovery: recovery({ step: 'done', since: minutes(600) - seconds(30) }) }),
      'compact 1000',
    ],
    [
      'NOSPACE after two tries: waits longer',
      state([member('m1', full)], {
        recovery: recovery({ step: 'done', failed: 2, since: minutes(600) - seconds(119) }),
      }),
      'rest',
    ],
    [
      'NOSPACE after many tries: not for ever longer',
      state([member('m1', full)], { recovery: recovery({ step: 'done', failed: 50, since: minutes(590) }) }),
      'compact 1000',
    ],
  ])('%s', (_, given, step) => {
    expect(brief(planMaintenance(given, settings))).toBe(step);
  });

  it('with --etcd-history 0s compaction is left to other programs', () => {
    const old = state(three, { samples: [ago(minutes(500), 6n)] });
    expect(brief(planMaintenance(old, { history: seconds(0) }))).toBe('rest');
  });

  it('counts the tries that did not last', () => {
    const again = state([member('m1', full)], { recovery: recovery({ step: 'done', since: minutes(500), failed: 1 }) });
    expect(planMaintenance(again, settings)).toMatchObject({
      recovery: { failed: 2, since: minutes(600), step: 'defragment' },
    });
  });
});

describe('addSample', () => {
  it('keeps few, and always the one that the history to keep begins with', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: minutes(7) }), { maxLength: 300 }), (spans) => {
        let samples: readonly Sample[] = [];
        const all: Sample[] = [];
        let now = 0;
        for (const span of spans) {
          now += span;
          all.push({ at: now, revision: BigInt(now) });
          samples = addSample(samples, { at: now, revision: BigInt(now) }, settings);
        }
        expect(samples.length).toBeLessThanOrEqual(settings.history / sampleInterval + 2);
        const newest = all.findLast(({ at }) => at <= now - settings.history);
        const kept = samples.findLast(({ at }) => at <= now - settings.history);
        // At most one sample interval older than the best sample that there was.
        if (newest !== undefined) expect((kept?.at ?? -1) + sampleInterval).toBeGreaterThan(newest.at);
      }),
    );
  });
});
