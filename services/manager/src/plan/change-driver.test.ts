import type { Driver, Network, SteadyDriver } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { records } from '../store/records/index.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { scriptNetwork } from '../testing/view-script.ts';
import { beginsToEncrypt, nextDriver, stepDriver, stepWaitsFor, towards } from './change-driver.ts';
import { createNetwork } from './create-network.ts';
import { nothingToDo } from './intent.ts';

const plain = scriptNetwork(7);
const encrypted = { ...plain, driver: 'encrypted-overlay' } as Network;
const dual = (driver: Driver, to: SteadyDriver, hasCrossed: boolean): Network =>
  ({ ...plain, driver, change: { to, hasCrossed } }) as Network;

const text = ({ driver, change }: Network): string =>
  change === undefined ? driver : `${driver}, becomes ${change.to}${change.hasCrossed ? ', has crossed' : ''}`;

describe('a network that is to be encrypted, or not', () => {
  test.each<[string, Network, SteadyDriver, string]>([
    ['is so already', plain, 'overlay', 'overlay'],
    ['begins', plain, 'encrypted-overlay', 'dual-overlay, becomes encrypted-overlay'],
    ['begins the other way', encrypted, 'overlay', 'dual-encrypted-overlay, becomes overlay'],
    [
      'is on its way already',
      dual('dual-encrypted-overlay', 'encrypted-overlay', true),
      'encrypted-overlay',
      'dual-encrypted-overlay, becomes encrypted-overlay, has crossed',
    ],
    [
      'turns back at once before it has crossed',
      dual('dual-overlay', 'encrypted-overlay', false),
      'overlay',
      'overlay',
    ],
    [
      'turns back at once before it has crossed, the other way',
      dual('dual-encrypted-overlay', 'overlay', false),
      'encrypted-overlay',
      'encrypted-overlay',
    ],
    [
      'turns back step by step after it has crossed',
      dual('dual-encrypted-overlay', 'encrypted-overlay', true),
      'overlay',
      'dual-encrypted-overlay, becomes overlay, has crossed',
    ],
    [
      'turns back twice, and has crossed all the same',
      dual('dual-overlay', 'overlay', true),
      'encrypted-overlay',
      'dual-overlay, becomes encrypted-overlay, has crossed',
    ],
  ])('%s', (_, before, to, after) => expect(text(towards(before, to))).toBe(after));

  test.each<[SteadyDriver, SteadyDriver, string[]]>([
    [
      'overlay',
      'encrypted-overlay',
      [
        'dual-overlay, becomes encrypted-overlay',
        'dual-encrypted-overlay, becomes encrypted-overlay, has crossed',
        'encrypted-overlay',
      ],
    ],
    [
      'encrypted-overlay',
      'overlay',
      ['dual-encrypted-overlay, becomes overlay', 'dual-overlay, becomes overlay, has crossed', 'overlay'],
    ],
  ])('goes from %s to %s by these steps', (from, to, steps) => {
    const desk = new PlanHarness(new SeededRandom(1));
    const { id } = desk.make(createNetwork(plainNetwork('blue', ['10.1.0.0/16'], { driver: from })));
    const now = () => {
      const network = desk.view.networks.get(id);
      if (network === undefined) throw new Error('no network');
      return network;
    };
    let network = towards(now().value, to);
    const seen = [text(network)];
    while (nextDriver(network) !== undefined) {
      const key = desk.keys.network(id);
      const value = records.network.codec.encode(network);
      desk.write({ ...nothingToDo(undefined), writes: [{ kind: 'put', key, value }] });
      desk.make(stepDriver(id, now().revision));
      network = now().value;
      seen.push(text(network));
    }
    expect(seen).toEqual(steps);
  });
});

test('a step is taken only from the revision at which it was decided', () => {
  const desk = new PlanHarness(new SeededRandom(1));
  const { id } = desk.make(createNetwork(plainNetwork('blue', ['10.1.0.0/16'])));
  const before = desk.view.networks.get(id)?.value as Network;
  const value = records.network.codec.encode(towards(before, 'encrypted-overlay'));
  desk.write({ ...nothingToDo(undefined), writes: [{ kind: 'put', key: desk.keys.network(id), value }] });
  const { revision = 0n } = desk.view.networks.get(id) ?? {};
  expect(stepDriver(id, revision - 1n).plan(desk).writes).toEqual([]);
  const { compares, events } = stepDriver(id, revision).plan(desk);
  expect(compares).toEqual([{ kind: 'unchanged', key: desk.keys.network(id), modRevision: revision }]);
  expect(events.map(({ message }) => message)).toEqual([
    'network blue changed: driver dual-overlay -> dual-encrypted-overlay',
  ]);
});

describe('the next step waits', () => {
  const facts = { waiting: [], unreachable: [], withoutSas: [] };
  const sas = [['h1', 'h2'] as const];
  test.each<[string, Network, Partial<typeof facts> | object, string[]]>([
    ['for nothing', dual('dual-overlay', 'encrypted-overlay', false), {}, []],
    [
      'for hosts that have not applied the last one, also those without a session',
      dual('dual-encrypted-overlay', 'overlay', false),
      { waiting: ['h2'], unreachable: ['h3'] },
      ['h2 has not applied it', 'h3 has no session'],
    ],
    [
      'for SAs, when hosts are about to send in ESP',
      dual('dual-overlay', 'encrypted-overlay', false),
      { withoutSas: sas },
      ['h1 has no SA with which it may send to h2'],
    ],
    ['for no SAs in another step', dual('dual-encrypted-overlay', 'encrypted-overlay', true), { withoutSas: sas }, []],
    ['for no SAs on the way back', dual('dual-overlay', 'overlay', true), { withoutSas: sas }, []],
  ])('%s', (_, network, over, expected) => {
    expect(stepWaitsFor(network, { ...facts, ...over })).toEqual(expected);
  });

  test('and names five reasons at most', () => {
    const withoutSas = Array.from({ length: 100 }, (_, i) => ['h1', `h${i}`] as const);
    const network = dual('dual-overlay', 'encrypted-overlay', false);
    expect(stepWaitsFor(network, { ...facts, waiting: ['h1', 'h2'], withoutSas })).toHaveLength(5);
    expect(beginsToEncrypt(network)).toBe(true);
  });
});
