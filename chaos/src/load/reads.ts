import type { Injection } from '../faults/floors.ts';

/** One read, as a command makes it. Times are those of `now`. */
export interface Read {
  readonly call: number;
  readonly end: number;
  /** Code of what it ended with when it was not answered. */
  readonly failure?: string;
}

/** What reads may take while one manager with a majority can be reached, ms. */
export const readLimit = 2_000;
/** After a fault: processes start, etcd elects and streams begin anew, ms. */
const settling = 3_000;

/**
 * Reads that took longer than the limit, or failed, although until then one manager with a majority could be reached: two
 * of the three managers' hosts had nothing wrong with them.
 */
export function lateReads(reads: readonly Read[], injections: readonly Injection[]): readonly Read[] {
  const settled = injections
    .filter(({ target }) => target !== 'agent')
    .map(({ host, from, to }) => ({ host, from, to: to + settling }));
  return reads.filter(({ call, end, failure }) => {
    if (failure === undefined && end - call <= readLimit) return false;
    const hit = settled.filter(({ from, to }) => from < Math.min(end, call + readLimit) && to > call);
    return new Set(hit.map(({ host }) => host)).size <= 1;
  });
}
