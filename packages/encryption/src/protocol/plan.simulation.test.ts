import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { type Chances, calm, RekeyWorld, stepMs } from '../testing/rekey-world.ts';
import type { Rogue } from '../testing/simulated-node.ts';

const firstSeed = Number(process.env['CAUSEWAY_SEED'] ?? '1');
const seeds = Array.from({ length: Number(process.env['CAUSEWAY_SEEDS'] ?? '20') }, (_, i) => firstSeed + i);

/** Rekeys of all at any time, lost messages, paused agents, new leaders, restarts of agents, and NATs. Kernels lose nothing. */
const rough: Chances = {
  ...calm,
  ...{ delivery: 0.3, pause: 0.01, resume: 0.02, rekey: 0.05, restart: 0.01, nat: 0.005, newLeader: 0.005 },
};

/** And hosts reboot, and lose keys and SAs, and networks come and go. */
const hostile: Chances = { ...rough, reboot: 0.002, keyLoss: 0.002, saLoss: 0.005, sharing: 0.005 };

/** Two minutes in which nothing goes wrong any more, or less if all is done before. */
function settle(world: RekeyWorld): void {
  for (let step = 0; step < 1_200 && world.unfinished() !== undefined; step++) world.steps(1, calm);
}

function report(world: RekeyWorld, seed: number): string {
  return [`seed ${seed}`, ...world.history.slice(-30), ...world.faults].join('\n');
}

describe('the rekey protocol', () => {
  it('brings up all pairs, and then rests', () => {
    const world = new RekeyWorld(4, new SeededRandom(1));
    world.steps(20, calm);
    expect(world.faults).toEqual([]);
    expect(world.unfinished()).toBeUndefined();
    const before = world.history.length;
    world.steps(20, calm);
    expect(world.history).toHaveLength(before);
  });

  it.each([
    ['messages are lost, agents pause and restart, and all rekey at any time', rough],
    ['hosts also reboot, keys and SAs are lost, and networks come and go', hostile],
  ])(
    'never sends what the peer cannot receive, never makes an SA twice, and ends on the newest keys: %s',
    (_, chances) => {
      for (const seed of seeds) {
        const world = new RekeyWorld(4, new SeededRandom(seed));
        world.mustFlow = chances === rough;
        world.steps(400, chances);
        settle(world);
        expect(world.faults, report(world, seed)).toEqual([]);
        expect(world.unfinished(), report(world, seed)).toBeUndefined();
      }
    },
  );

  it('changes to ESP in UDP and back without a gap', () => {
    const world = new RekeyWorld(3, new SeededRandom(1));
    world.mustFlow = true;
    settle(world);
    const [first] = world.nodes;
    for (const port of [4500, 4501, undefined]) {
      if (first !== undefined) first.encapPort = port;
      settle(world);
      expect(world.faults).toEqual([]);
      expect(world.unfinished()).toBeUndefined();
      expect(first?.encapPortOf(first.newest)).toBe(port);
    }
  });

  it('gets past 16 generations, whose SPIs come again', () => {
    const world = new RekeyWorld(3, new SeededRandom(1));
    world.steps(600, { ...calm, rekey: 0.5 });
    settle(world);
    expect(world.faults).toEqual([]);
    expect(world.unfinished()).toBeUndefined();
    expect(Math.min(...world.nodes.map(({ newest }) => newest ?? 0))).toBeGreaterThan(48);
  });

  it('goes on while a peer is paused: no pair stops, and the others use new keys', () => {
    const world = new RekeyWorld(3, new SeededRandom(1));
    settle(world);
    const [one, other, paused] = world.nodes;
    if (one === undefined || other === undefined || paused === undefined) throw new Error('three nodes');
    const everySeconds = (count: number, total: number): void => {
      for (let at = 0; at < total * 1_000; at += stepMs) {
        if (at % (count * 1_000) === 0) for (const node of world.nodes) node.request();
        world.steps(1, calm);
        for (const from of world.nodes)
          for (const to of world.nodes) if (from !== to) expect(from.sendingKey(to.id)).toBeDefined();
      }
    };
    everySeconds(5, 20);
    paused.isPaused = true;
    const before = { one: one.newest ?? 0, paused: paused.newest };
    for (let at = 0; at < 20_000; at += stepMs) {
      if (at % 5_000 === 0) for (const node of [one, other]) node.request();
      world.steps(1, { ...calm, resume: 0 });
      for (const to of [other, paused]) expect(one.sendingKey(to.id)).toBeDefined();
    }
    expect(one.newest).toBe(before.one + 4);
    expect(one.kernelOf(other.id).sendsWith).toEqual({ sender: one.newest, receiver: other.newest });
    expect(one.kernelOf(paused.id).sendsWith).toEqual({ sender: before.one, receiver: before.paused });
    everySeconds(5, 20);
    settle(world);
    expect(world.faults).toEqual([]);
    expect(world.unfinished()).toBeUndefined();
  });

  it.each<[string, Rogue]>([
    ['confirms each record and never changes', 'unchanging'],
    ['confirms one more record and never changes', 'halting'],
    ['never says anything', 'silent'],
  ])('goes on beside a peer that %s: each minute brings new keys, and no other pair stops', (_, kind) => {
    const world = new RekeyWorld(3, new SeededRandom(1));
    const [one, other, rogue] = world.nodes;
    if (one === undefined || other === undefined || rogue === undefined) throw new Error('three nodes');
    if (kind === 'silent') rogue.rogue = kind;
    settle(world);
    rogue.rogue = kind;
    world.mustFlow = true;
    world.steps(50, calm);
    for (let minute = 0; minute < 5; minute++) {
      const before = [one, other].map(({ newest }) => newest);
      for (let second = 0; second < 70; second++) {
        for (const [i, node] of [one, other].entries()) if (node.newest === before[i]) node.request();
        world.steps(1_000 / stepMs, calm);
      }
      expect([one, other].map(({ newest }) => newest)).toEqual(before.map((newest = 0) => newest + 1));
      expect(one.kernelOf(other.id).sendsWith).toEqual({ sender: one.newest, receiver: other.newest });
    }
    expect(world.faults).toEqual([]);
    // Nothing is sent to the rogue with a key that was erased.
    expect(one.sendingKey(rogue.id)).toBeUndefined();
  });
});
