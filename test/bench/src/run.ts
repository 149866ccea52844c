import type { Figure } from './figure.ts';
import { printFigures, printSummary, type Row } from './print.ts';

export type Benches = Readonly<Record<string, () => Promise<readonly Figure[]>>>;

/** Where to print figures, and progress for people who wait. */
export interface Printer {
  figures(text: string): void;
  say(text: string): void;
}

export interface Measured {
  readonly rows: readonly Row[];
  /** Benches without figures, with the reason. */
  readonly failed: ReadonlyMap<string, string>;
}

/** Runs the benches one after the other, also after one has failed. Prints all rows with their targets at the end. */
export async function runBenches(benches: Benches, printer: Printer): Promise<Measured> {
  const rows: Row[] = [];
  const failed = new Map<string, string>();
  for (const [bench, run] of Object.entries(benches)) {
    printer.say(`bench: ${bench} …`);
    try {
      const figures = await run();
      printer.figures(printFigures(figures));
      rows.push(...figures.map((figure) => ({ bench, figure })));
    } catch (error) {
      failed.set(bench, messageOf(error));
      printer.say(`bench: ${bench} failed: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
  printer.figures(printSummary(rows, failed));
  if (failed.size > 0) printer.say(`bench: failed: ${[...failed.keys()].join(', ')}`);
  return { rows, failed };
}

/** The message in one line, for a table cell. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '¦');
}
