import CliTable from 'cli-table3';
import type { Cell, Grid, Heading, Sheet } from '../answer.ts';
import { paint, paintCell, textOf } from './paint.ts';

/** Spaces separate the columns, and no lines are drawn, so that awk and people can read the table. */
const layout = {
  chars: {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: '  ',
  },
  style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
};

export interface TableStyle {
  readonly wide: boolean;
  readonly headers: boolean;
  readonly colour: boolean;
}

export function renderGrid(grid: Grid, { wide, headers, colour }: TableStyle): string {
  const shown = grid.columns.map((column, i) => ({ column, i })).filter(({ column }) => wide || column.wide !== true);
  const head = shown.map(({ column }) => paint(column.title, 'bold', colour));
  const rows = grid.rows.map((row) => shown.map(({ i }) => paintCell(orDash(row[i]), colour)));
  if (headers) return renderRows([head, ...rows]);
  return rows.length === 0 ? '' : renderRows(rows);
}

export function renderSheet(sheet: Sheet, colour: boolean): string {
  return renderRows(
    sheet.fields.map(([label, value]) => [paint(label, 'bold', colour), paintCell(orDash(value), colour)]),
  );
}

/** The column titles of a stream, for people. Printed before the first row. */
export function renderStreamHead(columns: readonly Heading[], wide: boolean, colour: boolean): string {
  const titles = columns.map(({ title }): Cell => ({ text: title, tone: 'bold' }));
  return renderStreamRow(columns, titles, wide, colour);
}

/** One row of a stream. Later rows are not known, so the columns have fixed widths, and a long cell overflows. */
export function renderStreamRow(
  columns: readonly Heading[],
  row: readonly Cell[],
  wide: boolean,
  colour: boolean,
): string {
  const cells = columns.flatMap((column, i) => {
    if (column.wide === true && !wide) return [];
    const cell = orDash(row[i]);
    const gap = Math.max(0, (column.width ?? 0) - textOf(cell).length);
    return [paintCell(cell, colour) + ' '.repeat(gap)];
  });
  return `${cells.join('  ').trimEnd()}\n`;
}

function renderRows(rows: readonly (readonly string[])[]): string {
  const table = new CliTable(layout);
  for (const row of rows) table.push([...row]);
  return table
    .toString()
    .split('\n')
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function orDash(cell: Cell | undefined): Cell {
  return cell === undefined || textOf(cell) === '' ? { text: '-', tone: 'dim' } : cell;
}
