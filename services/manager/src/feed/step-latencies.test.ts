import type { NetworkId } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import { networkId } from '../testing/view-script.ts';
import { keptSteps, StepLatencies } from './step-latencies.ts';

describe('99th percentile, nearest rank', () => {
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);
  test.each<[string, number[], number]>([
    ['of nothing', [], 0],
    ['of one', [7], 7],
    ['of fifty: the greatest', upTo(50), 50],
    ['of a hundred', upTo(100), 99],
    ['of a hundred and one', upTo(101), 100],
    ['of five thousand', upTo(5000), 4950],
  ])('%s', (_name, times, expected) => {
    const latencies = new StepLatencies();
    latencies.stepped(networkId(1), 1n, 2n, 1000);
    for (const time of times) latencies.applied(networkId(1), 1n, 2n, 1000 + time);
    expect(latencies.p99(networkId(1), 2n)).toBe(expected);
  });
});

test('the oldest steps are forgotten, evenly over networks', () => {
  const latencies = new StepLatencies();
  const name = (step: number): NetworkId => networkId(step % 3);
  for (let step = 1; step <= 3 * keptSteps; step++) {
    latencies.stepped(name(step), BigInt(step - 1), BigInt(step), step);
    latencies.applied(name(step), BigInt(step - 1), BigInt(step), step + 5);
  }
  expect(latencies.p99(name(1), 1n)).toBe(0);
  for (const step of [3 * keptSteps, 2 * keptSteps + 1]) expect(latencies.p99(name(step), BigInt(step))).toBe(5);
});

test('a revision has the latency of the step that brought the revision', () => {
  const latencies = new StepLatencies();
  for (const [from, at] of [
    [1n, 0],
    [3n, 10],
  ] as const) {
    latencies.stepped(networkId(1), from, from + 2n, at);
    latencies.applied(networkId(1), from, from + 2n, 15);
  }
  expect([1n, 2n, 3n, 4n, 5n, 6n].map((revision) => latencies.p99(networkId(1), revision))).toEqual([
    0, 15, 15, 5, 5, 0,
  ]);
});

test('a step is forgotten only when twice as many as are kept are known', () => {
  const latencies = new StepLatencies();
  const step = (n: number): void => {
    latencies.stepped(networkId(1), BigInt(n), BigInt(n + 1), 0);
    latencies.applied(networkId(1), BigInt(n), BigInt(n + 1), 5);
  };
  const known = (n: number): boolean => latencies.p99(networkId(1), BigInt(n + 1)) === 5;
  for (let n = 1; n <= 2 * keptSteps; n++) step(n);
  expect(known(1)).toBe(true);
  step(2 * keptSteps + 1);
  expect([known(keptSteps + 1), known(keptSteps + 2)]).toEqual([false, true]);
});
