import { describe, expect, test } from 'vitest';
import { type Injection, type StormCounts, shortfalls } from './floors.ts';
import { type FaultKind, faultKinds } from './plan.ts';

const injection = (kind: FaultKind, more: Partial<Injection> = {}): Injection => {
  const seen = { ended: 1, stopped: 1, dropped: 1 };
  return { kind, target: 'both', host: 'h1', name: `${kind} of h1`, from: 0, to: 1, ...seen, metLeader: true, ...more };
};
const injections = faultKinds.map((kind) => injection(kind));
const enough: StormCounts = {
  span: 60_000,
  planned: injections.length,
  injections,
  leaderChanges: 2,
  claims: { done: 900, refused: 40, unknown: 9 },
  networks: { done: 9, refused: 1, unknown: 0 },
  reads: 200,
};

test('a storm that did what was planned to a cluster that was used', () => {
  expect(shortfalls(enough)).toEqual([]);
});

describe('proves nothing:', () => {
  const many = Array.from({ length: 10 }, () => injection('kill', { metLeader: false }));
  test.each<[string, Partial<StormCounts>, string]>([
    ['no fault was planned', { planned: 0, injections: [] }, '0 faults planned: at least 4 prove something'],
    ['no fault was injected', { injections: [] }, '0 faults injected: at least 8 prove something'],
    ['nothing was claimed', { claims: { ...enough.claims, done: 0 } }, '0 claims done: at least 120 prove something'],
    [
      'no claim was refused',
      { claims: { ...enough.claims, refused: 0 } },
      '0 claims refused: at least 1 prove something',
    ],
    [
      'every outcome is known',
      { claims: { ...enough.claims, unknown: 0 } },
      '0 claims of unknown outcome: at least 1 prove something',
    ],
    [
      'no network was made',
      { networks: { ...enough.networks, done: 0 } },
      '0 networks created: at least 1 prove something',
    ],
    ['nothing was read', { reads: 0 }, '0 reads answered: at least 30 prove something'],
    [
      'the leader was left alone',
      { planned: 10, injections: many },
      '0 faults that met the leader: at least 1 prove something',
    ],
    [
      'one manager led all the time',
      { planned: 10, injections: many.map((one) => ({ ...one, metLeader: true })), leaderChanges: 0 },
      '0 changes of leader: at least 1 prove something',
    ],
    [
      'a kill that killed nothing',
      { injections: [...injections.slice(1), injection('kill', { ended: 0 })] },
      '"kill of h1" was without effect: 0 processes ended',
    ],
    [
      'a wipe that killed nothing',
      { injections: [...injections.slice(1), injection('wipe', { ended: 0 })] },
      '"wipe of h1" was without effect: 0 processes ended',
    ],
    [
      'a pause that stopped nothing',
      { injections: [...injections.slice(1), injection('pause', { stopped: 0 })] },
      '"pause of h1" was without effect: 0 processes stopped',
    ],
    ...(['cut', 'black-hole', 'one-way', 'loss', 'mtu-hole'] as const).map(
      (kind): [string, Partial<StormCounts>, string] => [
        `a ${kind} through which everything passed`,
        { injections: [...injections.slice(1), injection(kind, { dropped: 0 })] },
        `"${kind} of h1" was without effect: 0 packets dropped`,
      ],
    ),
  ])('%s', (_, counts, why) => {
    expect(shortfalls({ ...enough, ...counts })).toContain(why);
  });
});
