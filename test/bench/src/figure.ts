/** One row of the report: a figure, and the same measured of what it is compared with, in the same run. */
export interface Figure {
  readonly what: string;
  readonly ours: string;
  /** What it is compared with, and its figure. */
  readonly beside: string;
  /** Ours against the other; above 1 is better. */
  readonly ratio?: number;
  readonly target?: string;
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Milliseconds, with as many digits as mean something. */
export function ms(value: number): string {
  const size = Math.abs(value);
  return `${size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(2)} ms`;
}

export function quantiles(times: readonly number[]): string {
  return `p50 ${ms(median(times))}, p99 ${ms(percentile(times, 0.99))}`;
}

/** Seconds, from milliseconds. */
export function seconds(value: number): string {
  return `${(value / 1000).toFixed(2)} s`;
}

export function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

export function table(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, ours, beside, ratio, target }) => [
    what,
    ours,
    beside,
    ratio === undefined ? '' : `${ratio.toFixed(2)}×`,
    target ?? '',
  ]);
  const head = ['figure', 'ours', 'beside', 'ratio', 'target'];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}
