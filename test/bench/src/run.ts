import { type Figure, table } from './figure.ts';

export type Benches = Readonly<Record<string, () => Promise<readonly Figure[]>>>;

/** Where a report goes: figures to one place, what a person waits for to the other. */
export interface Report {
  figures(text: string): void;
  say(text: string): void;
}

/** Measures one after the other. One that fails is a row that says so, and the others are measured all the same. The names of those that failed. */
export async function runBenches(benches: Benches, report: Report): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const [name, run] of Object.entries(benches)) {
    report.say(`bench: ${name} …`);
    try {
      report.figures(table(await run()));
    } catch (error) {
      failed.push(name);
      report.figures(table([{ what: name, ours: 'FAILED', beside: messageOf(error) }]));
      report.say(`bench: ${name} failed: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
  if (failed.length > 0) report.say(`bench: failed: ${failed.join(', ')}`);
  return failed;
}

/** In one line, as a cell of a table has to be. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replaceAll(/\s*\n\s*/g, ' ').replaceAll('|', '¦');
}
