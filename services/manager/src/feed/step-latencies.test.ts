import type { NetworkId } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import { networkId } from '../testing/view-script.ts';
import { keptSteps, percentile, StepLatencies } from './step-latencies.ts';

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

test('the oldest steps are forgotten, evenly over networks', () => {
  const latencies = new StepLatencies();
  const name = (step: number): NetworkId => networkId(step % 3);
  for (let step = 1; step <= 3 * keptSteps; step++) {
    latencies.stepped(name(step), BigInt(step - 1), BigInt(step), step);
    latencies.applied(name(step), BigInt(step - 1), BigInt(step), step + 5);
  }
  expect(latencies.of(name(1), 1n)).toEqual([]);
  for (const step of [3 * keptSteps, 2 * keptSteps + 1]) expect(latencies.of(name(step), BigInt(step))).toEqual([5]);
});
