import { type Figure, mainValueOf } from './figure.ts';
import { print, printRatio, table } from './print.ts';
import type { Report } from './report.ts';

/** A figure of the later report is marked if it is worse by more than this part. */
const tolerated = 0.1;

export interface Compared {
  readonly bench: string;
  readonly what: string;
  /** Undefined: only the other report has the row. */
  readonly before: Figure | undefined;
  readonly after: Figure | undefined;
  /** The later figure relative to the earlier; above 1 is better. undefined: one of them is missing or not above 0. */
  readonly ratio: number | undefined;
  readonly isWorse: boolean;
}

/** All rows of both reports, in the order of the earlier report. */
export function compare(before: Report, after: Report): readonly Compared[] {
  const keyOf = ({ bench, figure }: Report['rows'][number]): string => `${bench}: ${figure.what}`;
  const [earlier, later] = [before, after].map(({ rows }) => new Map(rows.map((row) => [keyOf(row), row])));
  const keys = new Set([...(earlier?.keys() ?? []), ...(later?.keys() ?? [])]);
  return Array.from(keys, (key) => {
    const [old, fresh] = [earlier?.get(key), later?.get(key)];
    const known = old ?? fresh;
    const ratio = old && fresh && ratioOf(old.figure, fresh.figure);
    const isWorse = ratio !== undefined && ratio < 1 - tolerated;
    const [bench, what] = [known?.bench ?? '', known?.figure.what ?? ''];
    return { bench, what, before: old?.figure, after: fresh?.figure, ratio, isWorse };
  });
}

function ratioOf(before: Figure, after: Figure): number | undefined {
  const [old, fresh] = [mainValueOf(before), mainValueOf(after)];
  if (!(old.value > 0) || !(fresh.value > 0)) return old.value === fresh.value ? 1 : undefined;
  return fresh.isMoreBetter ? fresh.value / old.value : old.value / fresh.value;
}

export function printCompared(rows: readonly Compared[], names: readonly [string, string]): string {
  const cells = rows.map(({ bench, what, before, after, ratio, isWorse }) => [
    bench,
    what,
    printSide(before),
    printSide(after),
    printRatio(ratio),
    isWorse ? 'worse' : '',
  ]);
  return table(['bench', 'figure', ...names, 'ratio', ''], cells);
}

function printSide(figure: Figure | undefined): string {
  if (figure === undefined) return 'not measured';
  return figure.ratio === undefined ? print(figure.ours) : `${print(figure.ours)} (${printRatio(figure.ratio)})`;
}
