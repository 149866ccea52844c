import type { Duration } from '@causeway/runtime';
import type { EtcdCredentials } from './credentials.ts';
import { getText } from './http.ts';

/** fsyncs of etcd's write-ahead log since it started: how many, and how long they took together. */
interface FsyncTotals {
  readonly count: number;
  readonly seconds: number;
}

/**
 * Seconds. A disk is slow when the mean of the fsyncs between two looks reaches this. etcd asks for 10 ms at the 99th
 * percentile. With a mean of a fifth of the election timeout (500 ms), the slowest fsyncs begin to cost leaders their
 * followers.
 */
const slowMean = 0.1;

/** Fewer fsyncs between two looks say nothing about the disk. */
const fewest = 3;

/** Keeps the totals of the last look at each member, and the verdict. */
export class DiskWatch {
  readonly #seen = new Map<string, { readonly totals: FsyncTotals; readonly slow: boolean }>();

  /** Whether the member's disk is slow, by the fsyncs since the previous look. */
  look(member: string, totals: FsyncTotals): boolean {
    const before = this.#seen.get(member);
    const restarted = before !== undefined && totals.count < before.totals.count;
    if (before === undefined || restarted) {
      this.#seen.set(member, { totals, slow: false });
      return false;
    }
    const count = totals.count - before.totals.count;
    if (count < fewest) return before.slow;
    const slow = (totals.seconds - before.totals.seconds) / count >= slowMean;
    this.#seen.set(member, { totals, slow });
    return slow;
  }
}

/** Reads a member's /metrics, which it serves at its client URLs; undefined when it does not. */
export async function readFsyncs(
  url: string,
  limit: Duration,
  credentials: EtcdCredentials,
): Promise<FsyncTotals | undefined> {
  try {
    return parseFsyncs(await getText(new URL('/metrics', url), limit, credentials));
  } catch {
    return undefined;
  }
}

/** Parses Prometheus' text format; undefined when the histogram is missing. */
export function parseFsyncs(metrics: string): FsyncTotals | undefined {
  const value = (part: string): number =>
    Number(new RegExp(`^etcd_disk_wal_fsync_duration_seconds_${part} (\\S+)$`, 'm').exec(metrics)?.[1] ?? Number.NaN);
  const totals = { count: value('count'), seconds: value('sum') };
  return Number.isNaN(totals.count) || Number.isNaN(totals.seconds) ? undefined : totals;
}
