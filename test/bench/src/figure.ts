/** The unit of a figure. It determines how the figure is printed, and whether more or less is better. */
export type Unit = 'ms' | 's' | '/s' | 'MiB' | '%' | '×' | 'count';

export interface Measure {
  readonly unit: Unit;
  /** By name; the first is the most important: { p50: 3.1, p99: 7 }. A single value is called "value". */
  readonly values: Readonly<Record<string, number>>;
  /** Printed if there are no values: "no answer". */
  readonly text?: string;
}

/** A limit of a target, for a value of the measure or for the ratio. All limits of a row must hold. */
export interface Limit {
  readonly of: string;
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** A row of the report: a figure, and the figure that it is compared with, measured in the same run. */
export interface Figure {
  readonly what: string;
  readonly ours: Measure;
  /** Names the baseline, with its figure. */
  readonly beside: string;
  /** Our figure relative to the baseline; above 1 is better. */
  readonly ratio?: number;
  readonly target?: readonly Limit[];
}

/** undefined: the figure has no target. */
export type Verdict = 'met' | 'missed' | undefined;

export function verdictOf({ ours, ratio, target }: Figure): Verdict {
  if (target === undefined) return undefined;
  const holds = ({ of, atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY }: Limit): boolean => {
    const value = of === 'ratio' ? ratio : ours.values[of];
    return value !== undefined && value <= atMost && value >= atLeast;
  };
  return target.every(holds) ? 'met' : 'missed';
}

/** The value for comparing commits: the ratio, which does not depend on the load of the machine, or else the first value. */
export function mainValueOf({ ours, ratio }: Figure): { readonly value: number; readonly isMoreBetter: boolean } {
  if (ratio !== undefined) return { value: ratio, isMoreBetter: true };
  return { value: Object.values(ours.values)[0] ?? Number.NaN, isMoreBetter: ours.unit === '/s' || ours.unit === '×' };
}

export function atMost(limits: Readonly<Record<string, number>> | number): readonly Limit[] {
  return typeof limits === 'number'
    ? [{ of: 'value', atMost: limits }]
    : Object.entries(limits).map(([of, limit]) => ({ of, atMost: limit }));
}

export function atLeast(limit: number, of = 'value'): readonly Limit[] {
  return [{ of, atLeast: limit }];
}

export function ms(value: number): Measure {
  return { unit: 'ms', values: { value } };
}

/** Milliseconds. */
export function quantiles(times: readonly number[]): Measure {
  return { unit: 'ms', values: { p50: median(times), p99: percentile(times, 0.99) } };
}

/** Converts from milliseconds. */
export function seconds(value: number): Measure {
  return { unit: 's', values: { value: value / 1000 } };
}

export function mib(bytes: number): Measure {
  return { unit: 'MiB', values: { value: bytes / 2 ** 20 } };
}

export function perSecond(value: number): Measure {
  return { unit: '/s', values: { value } };
}

export function count(value: number): Measure {
  return { unit: 'count', values: { value } };
}

/** Part of one CPU: seconds of CPU time per second of time. */
export function share(cpu: number, time: number): Measure {
  return { unit: '%', values: { value: (100 * cpu) / time } };
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
