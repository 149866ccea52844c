import type { NetworkId } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import { networkId, nodeId } from '../testing/view-script.ts';
import { AppliedVector, keptSteps, percentile } from './applied.ts';

const network = networkId(1);

describe('percentile, nearest rank', () => {
  test.each<[string, number[], number]>([
    ['of nothing', [], 0],
    ['of one', [7], 7],
    ['of a hundred', Array.from({ length: 100 }, (_, i) => 100 - i), 99],
    ['of fifty: the greatest', Array.from({ length: 50 }, (_, i) => i + 1), 50],
  ])('%s', (_name, values, expected) => {
    expect(percentile(values, 0.99)).toBe(expected);
  });
});

describe('latencies', () => {
  test('one report can finish several steps, each with its own time', () => {
    const vector = new AppliedVector();
    vector.stepped(network, 1n, 2n, [nodeId(1)], 100);
    vector.stepped(network, 2n, 5n, [], 110);
    vector.stepped(network, 5n, 6n, [], 120);
    expect(vector.reported(nodeId(1), network, 5n, 150)).toBe(true);
    expect([2n, 3n, 5n, 6n].map((revision) => vector.latencies(network, revision))).toEqual([[50], [40], [40], []]);
  });

  test('a report says nothing twice', () => {
    const vector = new AppliedVector();
    vector.stepped(network, 1n, 2n, [nodeId(1)], 100);
    vector.reported(nodeId(1), network, 2n, 150);
    expect(vector.reported(nodeId(1), network, 2n, 900)).toBe(false);
    expect(vector.reported(nodeId(1), network, 1n, 900)).toBe(false);
    expect(vector.latencies(network, 2n)).toEqual([50]);
    expect(vector.revisionOf(nodeId(1), network)).toBe(2n);
  });

  test('the first report of a session is no latency: the host may have had it long ago', () => {
    const vector = new AppliedVector();
    vector.stepped(network, 1n, 2n, [], 100);
    vector.reported(nodeId(1), network, 2n, 60_000);
    expect(vector.latencies(network, 2n)).toEqual([]);
  });

  test('the oldest steps are forgotten, evenly over networks', () => {
    const vector = new AppliedVector();
    const name = (step: number): NetworkId => networkId(step % 3);
    for (let step = 1; step <= 3 * keptSteps; step++) {
      vector.stepped(name(step), BigInt(step - 1), BigInt(step), [nodeId(1)], step);
      vector.reported(nodeId(1), name(step), BigInt(step), step + 5);
    }
    expect(vector.latencies(name(1), 1n)).toEqual([]);
    for (const step of [3 * keptSteps, 2 * keptSteps + 1])
      expect(vector.latencies(name(step), BigInt(step))).toEqual([5]);
  });
});
