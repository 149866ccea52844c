/** In one test many seeds: a run takes some ms, and a failure names its seed. */
const batch = 50;

/**
 * Seeds to run, in batches with a title each. CAUSEWAY_SEED=n repeats one, CAUSEWAY_SEEDS=n does the first n; by default as
 * many as take some seconds.
 */
export function seedBatches(usual: number): readonly (readonly [string, readonly number[]])[] {
  const { CAUSEWAY_SEED: one, CAUSEWAY_SEEDS: many = `${usual}` } = process.env;
  const seeds = one === undefined ? Array.from({ length: Number(many) }, (_, i) => i + 1) : [Number(one)];
  return Array.from({ length: Math.ceil(seeds.length / batch) }, (_, i) => {
    const some = seeds.slice(i * batch, (i + 1) * batch);
    return [`seeds ${some[0]} to ${some.at(-1)}`, some];
  });
}
