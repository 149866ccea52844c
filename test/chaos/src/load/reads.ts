import type { Injection } from '../faults/floors.ts';

/** One read, as made by a command. Times are those of `now`. */
export interface Read {
  readonly call: number;
  readonly end: number;
  /** Error code, if the read was not answered. */
  readonly failure?: string;
}

/** Time after a fault in which processes start, etcd elects and streams begin again, ms. */
const settling = 3_000;

/**
 * Reads that took longer than the limit (ms) or failed, although a manager with a majority could be reached during the whole
 * read: two of the three managers' hosts had no fault.
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
