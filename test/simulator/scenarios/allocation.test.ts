import { judge } from '@causeway/chaos';
import { describe, expect, test } from 'vitest';
import { simulateAllocation } from '../src/allocation.ts';
import { seedBatches } from './seeds.ts';

/**
 * The checks of the real cluster (chaos/) applied to the simulated one: the history of every address, and every
 * revision.
 */
describe('whatever befalls managers and their store, an address has one owner', () => {
  test.each(seedBatches(100))('%s', async (_, seeds) => {
    const counts = { done: 0, refused: 0, unknown: 0, duplicated: 0, late: 0, free: 0, waited: 0, silences: 0 };
    for (const seed of seeds) {
      const { evidence, faults, duplicated, late, reuse, silences } = await simulateAllocation(seed);
      expect([...faults, ...Object.values(judge(evidence)).flat()], `seed ${seed}`).toEqual([]);
      for (const { outcome } of evidence.journal) counts[outcome.kind]++;
      counts.duplicated += duplicated;
      counts.late += late;
      counts.free += reuse.free;
      counts.waited += reuse.waited;
      counts.silences += silences;
    }
    if (seeds.length === 1) return;
    // A run in which nothing is claimed, or nothing goes wrong, proves nothing.
    expect(counts.done).toBeGreaterThan(seeds.length * 10);
    expect(counts.refused).toBeGreaterThan(seeds.length * 5);
    expect(counts.unknown).toBeGreaterThan(seeds.length / 2);
    expect(counts.duplicated).toBeGreaterThan(seeds.length * 2);
    expect(counts.late).toBeGreaterThan(seeds.length / 2);
    expect(counts.free).toBeGreaterThan(seeds.length * 10);
    expect(counts.waited).toBeGreaterThan(seeds.length * 5);
    expect(counts.silences).toBeGreaterThan(seeds.length);
  });
});
