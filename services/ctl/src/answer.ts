import type { CausewayError } from '@causeway/model';

/** What a command found out, as values; `render/print.ts` makes text of it in the format asked for. */
export interface Answer {
  /** For json and yaml. A bigint is printed as a number, whatever its size. */
  readonly value: unknown;
  /** For name: one a line. */
  readonly names: readonly string[];
  /** For table and wide. */
  readonly table: Table;
  /** Said on stderr beside the data. */
  readonly notes?: readonly string[];
  /** 0 when absent. */
  readonly exitCode?: number;
  /** The data stand, yet the command failed: printed after them as the error, and decides the exit code. */
  readonly problem?: CausewayError;
}

/** An answer that arrives in parts, each printed as it comes: one JSON line, one YAML document, one row. */
export interface Stream {
  readonly columns: readonly Heading[];
  /** Each part takes the place of the one before on the screen. */
  readonly redraws?: boolean;
  readonly parts: AsyncIterable<StreamPart>;
}

export interface StreamPart {
  readonly value: unknown;
  /** Absent: of no interest to people. */
  readonly name?: string;
  readonly row?: readonly Cell[];
  /** In place of a row, under its heading. */
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

/** One item, a line for each of its fields. */
export interface Sheet {
  readonly kind: 'sheet';
  readonly fields: readonly (readonly [label: string, value: Cell])[];
}

/** A sentence, or some: "network blue deleted". */
export interface Line {
  readonly kind: 'line';
  readonly text: string | readonly string[];
}

/** Printed to the letter: text of this program's own with nothing in it that came from elsewhere. */
export interface Script {
  readonly kind: 'script';
  readonly text: string;
}

export interface Heading {
  readonly title: string;
  /** Shown by `-o wide` only. */
  readonly wide?: true;
  /** Characters to keep free for it in a stream, whose later rows are not known yet. */
  readonly width?: number;
}

export type Tone = 'good' | 'bad' | 'dim' | 'bold';

export type Cell = string | { readonly text: string; readonly tone: Tone };

export function isStream(answer: Answer | Stream): answer is Stream {
  return 'parts' in answer;
}
