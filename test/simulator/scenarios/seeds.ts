/** Seeds per test. A run takes a few ms, and a failure names its seed. */
const batch = 50;

/**
 * Seeds to run, in batches, each with a title. CAUSEWAY_SEED=n repeats one seed, CAUSEWAY_SEEDS=n runs the first n. The
 * default is a number that takes some seconds.
 */
export function seedBatches(usual: number): readonly (readonly [string, readonly number[]])[] {
  const { CAUSEWAY_SEED: one, CAUSEWAY_SEEDS: many = `${usual}` } = process.env;
  const seeds = one === undefined ? Array.from({ length: Number(many) }, (_, i) => i + 1) : [Number(one)];
  return Array.from({ length: Math.ceil(seeds.length / batch) }, (_, i) => {
    const some = seeds.slice(i * batch, (i + 1) * batch);
    return [`seeds ${some[0]} to ${some.at(-1)}`, some];
  });
}
