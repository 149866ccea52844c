// A longer run of the fuzzer: npm run fuzz -w memberlist-ts -- --runs 1000000 --seed 7
import { parseArgs } from 'node:util';
import { fuzz } from './fuzz.ts';
import { SeededRandom } from './seeded-random.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
});
const random = new SeededRandom(Number(values.seed));
const started = performance.now();
const { inputs, accepted, refused, largestHeap } = fuzz(Number(values.runs), () => random.float());
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  `${inputs} inputs: ${accepted} packets read, ${refused} refused, in ${seconds} s; heap at most ${largestHeap >> 20} MiB`,
);
