import type { CausewayError } from '@causeway/model';

/** What a command found out, as values; `render/print.ts` turns it into text in the requested format. */
export interface Answer {
  /** For -o json and -o yaml. A bigint is printed as a number, whatever its size. */
  readonly value: unknown;
  /** For -o name: one name on each line. */
  readonly names: readonly string[];
  /** For -o table and -o wide. */
  readonly table: Table;
  /** Printed on stderr beside the data. */
  readonly notes?: readonly string[];
  /** 0 when absent. */
  readonly exitCode?: number;
  /**
   * The data are valid, but the command failed. The problem is printed after the data as the error, and decides the exit
   * code.
   */
  readonly problem?: CausewayError;
}

/** An answer that arrives in parts. Each part is printed when it comes: one JSON line, one YAML document or one row. */
export interface Stream {
  readonly columns: readonly Heading[];
  /** On the screen, each part replaces the part before. */
  readonly redraws?: boolean;
  readonly parts: AsyncIterable<StreamPart>;
}

export interface StreamPart {
  readonly value: unknown;
  /** Absent: the part is of use only to programs. */
  readonly name?: string;
  readonly row?: readonly Cell[];
  /** Printed instead of a row, under `heading`. */
  readonly table?: Table;
  readonly heading?: string;
}

export type Table = Grid | Sheet | Line | Script;

/** One row for each item. */
export interface Grid {
  readonly kind: 'grid';
  readonly columns: readonly Heading[];
  readonly rows: readonly (readonly Cell[])[];
}

/** One item, with one line for each of its fields. */
export interface Sheet {
  readonly kind: 'sheet';
  readonly fields: readonly (readonly [label: string, value: Cell])[];
}

/** One sentence or more: "network blue deleted". */
export interface Line {
  readonly kind: 'line';
  readonly text: string | readonly string[];
}

/** Text that is printed unchanged. It is this program's own, and contains nothing from elsewhere. */
export interface Script {
  readonly kind: 'script';
  readonly text: string;
}

export interface Heading {
  readonly title: string;
  /** Shown by `-o wide` only. */
  readonly wide?: true;
  /** Characters that a stream reserves for the column, because its later rows are not known yet. */
  readonly width?: number;
}

export type Tone = 'good' | 'bad' | 'dim' | 'bold';

export type Cell = string | { readonly text: string; readonly tone: Tone };

export function isStream(answer: Answer | Stream): answer is Stream {
  return 'parts' in answer;
}
