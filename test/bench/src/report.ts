import { type Figure, type Verdict, verdictOf } from './figure.ts';
import type { Row } from './print.ts';

/** The content of the file that `--json FILE` writes. */
export interface Report {
  /** Commit of the clone, followed by "+" if files differ from it; empty outside a clone. */
  readonly commit: string;
  /** When the run ended, ISO 8601. */
  readonly time: string;
  readonly node: string;
  readonly rows: readonly (Row & { readonly verdict?: Verdict })[];
  /** Benches without figures, with the reason. */
  readonly failed: Readonly<Record<string, string>>;
}

export interface Run {
  readonly commit: string;
  readonly time: string;
  readonly node: string;
}

export function reportOf(run: Run, rows: readonly Row[], failed: ReadonlyMap<string, string>): Report {
  const judged = rows.map(({ bench, figure }) => {
    const verdict = verdictOf(figure);
    return { bench, figure, ...(verdict === undefined ? {} : { verdict }) };
  });
  return { ...run, rows: judged, failed: Object.fromEntries(failed) };
}

/** Throws if the text is not such a report. */
export function readReport(text: string, file: string): Report {
  const value: unknown = JSON.parse(text);
  if (typeof value === 'object' && value !== null && 'rows' in value && Array.isArray(value.rows)) {
    if (value.rows.every(isRow)) return value as Report;
  }
  throw new Error(`${file} is no report of "npm run bench -- --json FILE"`);
}

function isRow(row: unknown): boolean {
  const { bench, figure } = (row ?? {}) as { readonly bench?: unknown; readonly figure?: Partial<Figure> };
  return typeof bench === 'string' && typeof figure?.what === 'string' && typeof figure.ours?.values === 'object';
}
