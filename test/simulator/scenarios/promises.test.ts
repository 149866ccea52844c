import { afterAll, describe, expect, it } from 'vitest';
import { PromiseStory } from '../src/promise-story.ts';

/** CAUSEWAY_SEED=n repeats one run; CAUSEWAY_SEEDS=n does the first n. */
const { CAUSEWAY_SEED: one, CAUSEWAY_SEEDS: many = '8' } = process.env;
const seeds = one === undefined ? Array.from({ length: Number(many) }, (_, i) => i + 1) : [Number(one)];
const steps = 90;

/** How often each accident and each message occurred, over all seeds. */
const reach = new Map<string, number>();

/**
 * During the run every message is checked against the store's records, and at the end every kernel. The oracle shares
 * neither digests nor `buildNetwork` nor `plan` with the product: src/expected-state.ts, src/promises.ts.
 */
describe('what managers and agents say is so', () => {
  it.each(seeds)('whatever happens (seed %d)', async (seed) => {
    const story = new PromiseStory(seed);
    await story.begin();
    for (let step = 0; step < steps; step++) {
      await story.step();
      expect(story.faults).toEqual([]);
    }
    expect(await story.end()).toEqual([]);
    expect(story.faults).toEqual([]);
    for (const [what, count] of Object.entries({ ...story.reach, ...story.seen })) {
      reach.set(what, (reach.get(what) ?? 0) + count);
    }
  });

  afterAll(() => {
    if (seeds.length === 1) return;
    // If something never happens under any seed, the run proves nothing about it.
    for (const [what, count] of reach) expect(count, what).toBeGreaterThan(0);
    expect(reach.get('applied')).toBeGreaterThan(20 * seeds.length);
  });
});
