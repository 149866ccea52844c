import { setFlagsFromString } from 'node:v8';

/**
 * The number of bytecodes that a function executes between two looks of V8 at whether to optimise the function; by default
 * 67,584.
 */
const budget = 1_000_000;

/**
 * Optimises only code that runs long, such as the loops over a large table. A host starts its containers in bursts of some
 * hundred, and V8's own rule would optimise most of the agent meanwhile: of an attach's processor time, an eighth to a
 * fifth went into the compiler, and the faster code did not make up for it before the burst was over.
 */
export function optimiseLate(): void {
  setFlagsFromString(`--interrupt-budget=${budget}`);
}
