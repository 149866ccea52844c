import { SeededRandom } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { network } from '../testing/rows.ts';
import { lastStep, type Position } from '../wire/position.ts';
import { Repair } from './repair.ts';

const at = (revision: number): Position => ({ epoch: 1n, revision: BigInt(revision), step: lastStep });

/** A repair, and what it asks: "pull a" at each look. */
function repairing() {
  const repair = new Repair(new SeededRandom(1));
  let counter = 0n;
  const look = (now: number): readonly string[] => {
    const asked: string[] = [];
    repair.next(now, (_, peer, question) => {
      asked.push(`${question} ${peer}`);
      return ++counter;
    });
    return asked;
  };
  return { repair, look, last: () => counter };
}

describe('a repair', () => {
  it('asks the peer that has most, and asks no more when the table is there', () => {
    const { repair, look, last } = repairing();
    repair.claimed(network, 'a', at(5), at(4));
    repair.claimed(network, 'b', at(9), at(4));
    expect([look(0), look(50)]).toEqual([['pull b'], []]);
    expect(repair.asked('a', last())).toBeUndefined();
    expect(repair.asked('b', last())).toEqual({ network, question: 'pull' });
    repair.reached(network, at(9));
    expect([look(1_000), repair.nextWake]).toEqual([[], Number.POSITIVE_INFINITY]);
  });

  it('begins with a comparison where there is nothing, and goes to one where the log is too short', () => {
    const { repair, look } = repairing();
    repair.claimed(network, 'a', at(5), undefined);
    expect(look(0)).toEqual(['compare a']);
    const other = repairing();
    other.repair.claimed(network, 'a', at(5), at(1));
    other.look(0);
    other.repair.atFloor(network, 'b');
    expect(other.look(1)).toEqual([]);
    other.repair.atFloor(network, 'a');
    expect(other.look(1)).toEqual(['compare a']);
  });

  it('asks again when an answer is lost, and then another peer, though it has less', () => {
    const { repair, look } = repairing();
    repair.claimed(network, 'liar', at(99), at(4));
    expect([look(0), look(100)]).toEqual([['pull liar'], ['pull liar']]);
    repair.claimed(network, 'b', at(9), at(4));
    // The peer that has not failed is not held up by the one that has.
    expect(look(101)).toEqual(['pull b']);
    repair.answered(network, 'b', true, 102);
    expect(look(102)).toEqual(['pull b']);
  });

  it('waits longer for a peer that fails again and again, and notices that a partition ends', () => {
    const { repair, look } = repairing();
    repair.claimed(network, 'a', at(5), at(4));
    const asked: number[] = [];
    for (let now = 0; now < 10_000; now += 10) if (look(now).length > 0) asked.push(now);
    const pauses = asked.slice(1).map((now, i) => now - (asked[i] ?? 0));
    expect(pauses.slice(0, 2)).toEqual([100, 300]);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1_200);
  });

  it('asks only peers that are there', () => {
    const { repair, look } = repairing();
    repair.claimed(network, 'a', at(5), at(4));
    repair.claimed(network, 'b', at(5), at(4));
    repair.disclaimed(network, 'a');
    repair.keep(new Set(['a']));
    expect(look(0)).toEqual([]);
  });
});
