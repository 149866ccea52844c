import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Files that a run leaves for people and for the judge. */
export interface RunFiles {
  readonly folder: string;
  /** Every call of the load. */
  readonly journal: string;
  /** Every read. */
  readonly reads: string;
  /** Every revision of the store. */
  readonly store: string;
  /** Every fault, as observed. */
  readonly faults: string;
}

/** Makes the folder, and deletes files that an earlier run of the same name has left. */
export function runFiles(folder: string): RunFiles {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const at = (name: string): string => join(folder, `${name}.jsonl`);
  return { folder, journal: at('journal'), reads: at('reads'), store: at('store'), faults: at('faults') };
}

export function writeLines(path: string, values: readonly unknown[]): void {
  writeFileSync(path, values.map((value) => `${JSON.stringify(value)}\n`).join(''));
}

export function readLines<Line>(path: string): readonly Line[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Line);
}

/** Copies logs into the folder: "/…/h1/log/manager.log" becomes "h1-manager.log". */
export function keepLogs(logs: readonly string[], folder: string): void {
  for (const log of logs) {
    if (existsSync(log)) cpSync(log, join(folder, `${basename(dirname(dirname(log)))}-${basename(log)}`));
  }
}
