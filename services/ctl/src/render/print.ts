import { assertNever } from '@causeway/model';
import { type Answer, isStream, type Stream, type StreamPart, type Table } from '../answer.ts';
import type { Context } from '../context.ts';
import type { Format } from '../settings.ts';
import { toPlain } from './plain.ts';
import { renderGrid, renderSheet, renderStreamRow } from './table.ts';
import { visible, visibleData } from './visible.ts';
import { renderYaml } from './yaml.ts';

/** Data to stdout, notes to stderr; then the exit code, or the problem as an error. */
export async function printAnswer(context: Context, answer: Answer | Stream, format: Format): Promise<void> {
  if (isStream(answer)) return await printStream(context, answer, format);
  context.stdout.write(renderAnswer(answer, format, context.stdout.colour));
  for (const note of answer.notes ?? []) context.stderr.write(`causeway: ${visible(note)}\n`);
  if (answer.problem !== undefined) throw answer.problem;
  context.exitCode = answer.exitCode ?? 0;
}

export function renderAnswer(answer: Answer, format: Format, colour: boolean): string {
  switch (format) {
    case 'json':
      return `${visibleData(JSON.stringify(toPlain(answer.value), null, 2))}\n`;
    case 'yaml':
      return renderYaml(toPlain(answer.value));
    case 'name':
      return answer.names.map((name) => `${visible(name)}\n`).join('');
    case 'table':
    case 'wide':
      return renderTable(answer.table, format === 'wide', colour);
    default:
      return assertNever(format);
  }
}

export function renderPart(stream: Stream, part: StreamPart, format: Format, colour: boolean): string {
  switch (format) {
    case 'json':
      return `${visibleData(JSON.stringify(toPlain(part.value)))}\n`;
    case 'yaml':
      return `---\n${renderYaml(toPlain(part.value))}`;
    case 'name':
      return part.name === undefined ? '' : `${visible(part.name)}\n`;
    case 'table':
    case 'wide':
      return part.row === undefined ? '' : renderStreamRow(stream.columns, part.row, format === 'wide', colour);
    default:
      return assertNever(format);
  }
}

async function printStream(context: Context, stream: Stream, format: Format): Promise<void> {
  for await (const part of stream.parts) {
    context.stdout.write(renderPart(stream, part, format, context.stdout.colour));
  }
}

function renderTable(table: Table, wide: boolean, colour: boolean): string {
  switch (table.kind) {
    case 'grid':
      return renderGrid(table, wide, colour);
    case 'sheet':
      return renderSheet(table, colour);
    case 'line':
      return (typeof table.text === 'string' ? [table.text] : table.text).map((line) => `${visible(line)}\n`).join('');
    case 'script':
      return table.text;
    default:
      return assertNever(table);
  }
}
