import { seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import { WriteSimulation } from '../testing/write-simulation.ts';

/** SIMULATION_SEEDS=1000 for a night, SIMULATION_FIRST_SEED=N to repeat a seed. */
const count = Number(process.env['SIMULATION_SEEDS'] ?? 20);
const first = Number(process.env['SIMULATION_FIRST_SEED'] ?? 1);
const seeds = Array.from({ length: count }, (_, i) => first + i);

describe('claims and releases through failing managers: nothing twice, nothing lost, nothing leaked', () => {
  test.each(seeds)('seed %i', async (seed) => {
    const answers = await new WriteSimulation(seed).run(seconds(60), 8);
    expect(answers.get('endpoint.claim')).toBeGreaterThan(10);
    expect(answers.get('endpoint.release')).toBeGreaterThan(5);
    expect(answers.get('again')).toBeGreaterThan(0);
  });
});
