import type { Injection } from '../faults/floors.ts';

/** One read, as a command makes it. Times are those of `now`. */
export interface Read {
  readonly call: number;
  readonly end: number;
  /** Code of what it ended with when it was not answered. */
  readonly failure?: string;
}

/** After a fault: processes start, etcd elects and streams begin anew, ms. */
const settling = 3_000;

/**
 * Reads that took longer than the limit (ms), or failed, although until then one manager with a majority could be reached: two
 * of the three managers' hosts had nothing wrong with them.
 */
export function lateReads(reads: readonly Read[], injections: readonly Injection[], limit: number): readonly Read[] {
  const settled = injections
    .filter(({ target }) => target !== 'agent')
    .map(({ host, from, to }) => ({ host, from, to: to + settling }));
  return reads.filter(({ call, end, failure }) => {
    if (failure === undefined && end - call <= limit) return false;
    const hit = settled.filter(({ from, to }) => from < Math.min(end, call + limit) && to > call);
    return new Set(hit.map(({ host }) => host)).size <= 1;
  });
}
