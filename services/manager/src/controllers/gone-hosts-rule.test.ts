import type { NodeId } from '@causeway/model';
import { minutes, seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import { type HostObservation, planGoneHosts } from './gone-hosts-rule.ts';

const node = 'a000000000000001' as NodeId;
const goneAfter = minutes(60);

/** Times are minutes on the clock that runs while a manager leads; this leader began at 100. */
type Times = { readonly silent?: number; readonly recorded?: number };

function decide(
  now: number,
  { silent, recorded }: Times,
  over: Partial<HostObservation> = {},
  after = goneAfter,
): string {
  const at = (time: number | undefined): number | undefined => (time === undefined ? undefined : minutes(time));
  const host = { node, hasEndpoints: true, silentSince: at(silent), recorded: at(recorded), ...over };
  const { record, forget, gone } = planGoneHosts({ now: minutes(now), began: minutes(100), hosts: [host] }, after);
  const words = [
    ...[...record.values()].map((since) => `record ${since / minutes(1)}`),
    ...forget.map(() => 'forget'),
    ...gone.map(() => 'gone'),
  ];
  return words.join(', ') || 'nothing';
}

describe('a host', () => {
  test.each<[string, number, Times, string]>([
    ['that has a session is left alone', 400, {}, 'nothing'],
    ['that has one again is forgotten', 400, { recorded: 90 }, 'forget'],
    ['that fell silent a moment ago costs no write', 200.5, { silent: 200 }, 'nothing'],
    ['that stays silent is recorded, since when it was lost', 202, { silent: 200 }, 'record 200'],
    ['that is recorded is not recorded again', 202, { silent: 200, recorded: 200 }, 'nothing'],
    ['is not gone a moment too soon', 259.9, { silent: 200, recorded: 200 }, 'nothing'],
    ['is gone after that time', 260, { silent: 200, recorded: 200 }, 'gone'],
    ['whose silence is not recorded is gone all the same', 260, { silent: 200 }, 'record 200, gone'],
    ['that was silent under earlier leaders counts with that', 120, { silent: 100, recorded: 60 }, 'gone'],
    ['that was silent under earlier leaders, for less', 119, { silent: 100, recorded: 60 }, 'nothing'],
    ['that came back meanwhile counts anew', 130, { silent: 110, recorded: 60 }, 'record 110'],
    ['is waited for while a new leader is young', 100.4, { silent: 100, recorded: 0 }, 'nothing'],
  ])('%s', (_name, now, times, expected) => expect(decide(now, times)).toBe(expected));

  test('without endpoints is of no account', () => {
    expect(decide(400, { silent: 200 }, { hasEndpoints: false })).toBe('nothing');
    expect(decide(400, { silent: 200, recorded: 200 }, { hasEndpoints: false })).toBe('forget');
  });

  test('is never gone when that is what was asked for', () => {
    expect(decide(9_000, { silent: 200, recorded: 200 }, {}, seconds(0))).toBe('nothing');
  });
});
