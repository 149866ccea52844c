import type { Entry } from './load/journal.ts';

/** The longest time within the window in which no caller's claim succeeded, ms. */
export function longestGap(journal: readonly Entry[], from: number, to: number): number {
  const successes = journal
    .filter(({ act, outcome }) => act === 'claim' && outcome.kind === 'done')
    .map(({ end }) => end)
    .filter((end) => end >= from && end <= to)
    .sort((a, b) => a - b);
  const times = [from, ...successes, to];
  return Math.max(...times.slice(1).map((time, i) => time - (times[i] ?? time)));
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
