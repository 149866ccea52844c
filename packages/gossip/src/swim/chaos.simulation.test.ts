import { expect, test } from 'vitest';
import { storyOf } from '../testing/chaos.ts';
import { seeds } from '../testing/cluster.ts';

const all = seeds(1000);
/** So that a failure is seen before the last seed has run. */
const tenths = Array.from({ length: 10 }, (_, tenth) => all.filter((_, i) => i % 10 === tenth));

/** CAUSEWAY_SEED=5000 CAUSEWAY_SEEDS=10000 npm test -- --project unit packages/gossip/src/swim/chaos */
test.each(tenths)(
  'whatever breaks: once healed all nodes see the same, and judge rightly (seeds %i, …)',
  (...some) => {
    const wrong = some.flatMap((seed) => storyOf(seed) ?? []);
    expect(wrong.join('\n\n')).toBe('');
  },
  600_000,
);
