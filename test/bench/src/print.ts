import { type Figure, type Limit, type Measure, type Unit, verdictOf } from './figure.ts';

/** "p50 3.10 ms, p99 7.00 ms", "694 MiB", "no answer". */
export function print({ unit, values, text }: Measure): string {
  const parts = Object.entries(values).map(([name, value]) => [
    ...(name === 'value' ? [] : [name]),
    format(unit, value),
  ]);
  return parts.length === 0 ? (text ?? '') : parts.map((part) => part.join(' ')).join(', ');
}

/** "p50 ≤ 10 ms, p99 ≤ 50 ms", "≥ 3×"; for a ratio of medians "p50 ≥ 0.5×". */
export function printTarget({ ours, target = [] }: Figure): string {
  const limits = target.map(({ of, atMost, atLeast }: Limit) => {
    const unit = of === 'ratio' ? '×' : ours.unit;
    const name = of === 'ratio' || of === 'value' ? [] : [of];
    const most = atMost === undefined ? [] : [`≤ ${atMost}${spaced(unit)}`];
    const least = atLeast === undefined ? [] : [`≥ ${atLeast}${spaced(unit)}`];
    return [...name, ...most, ...least].join(' ');
  });
  return limits.join(', ');
}

/** The rows of one bench. */
export function printFigures(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.what,
    print(figure.ours),
    figure.beside,
    printRatio(figure.ratio),
    printTarget(figure),
  ]);
  return table(['figure', 'Causeway', 'baseline', 'ratio', 'target'], rows);
}

export interface Row {
  readonly bench: string;
  readonly figure: Figure;
}

/** The rows of all benches with their targets; `failed`: benches without figures, with the reason. */
export function printSummary(rows: readonly Row[], failed: ReadonlyMap<string, string>): string {
  const measured = rows.map(({ bench, figure }) => [
    bench,
    figure.what,
    print(figure.ours),
    printRatio(figure.ratio),
    printTarget(figure),
    verdictOf(figure) ?? '',
  ]);
  const broken = Array.from(failed, ([bench, why]) => [bench, why, '', '', '', 'FAILED']);
  return table(['bench', 'figure', 'Causeway', 'ratio', 'target', ''], [...measured, ...broken]);
}

export function printRatio(ratio: number | undefined): string {
  return ratio === undefined ? '' : `${ratio.toFixed(2)}×`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}

/** Prints only digits that are significant. */
function format(unit: Unit, value: number): string {
  const size = Math.abs(value);
  const digits: Readonly<Record<Unit, number>> = {
    ms: size >= 100 ? 0 : size >= 10 ? 1 : 2,
    s: 2,
    '/s': 0,
    MiB: 0,
    '%': 1,
    '×': 2,
    count: 0,
  };
  return `${value.toFixed(digits[unit])}${spaced(unit)}`;
}

/** "8/s" and "3×" have no space, "8 ms" has one, and a count has no unit. */
function spaced(unit: Unit): string {
  if (unit === 'count') return '';
  return unit === '/s' || unit === '×' ? unit : ` ${unit}`;
}
