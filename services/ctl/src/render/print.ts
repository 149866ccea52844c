import { assertNever } from '@causeway/model';
import { type Answer, isStream, type Stream, type StreamPart, type Table } from '../answer.ts';
import type { Context } from '../context.ts';
import type { Format, Settings } from '../settings.ts';
import { renderJson } from './json.ts';
import { renderGrid, renderSheet, renderStreamHead, renderStreamRow, type TableStyle } from './table.ts';
import { visible, visibleData } from './visible.ts';
import { renderYaml } from './yaml.ts';

/** ECMA-48: moves the cursor to the upper left and erases what is after it. */
const clearScreen = '\u001b[H\u001b[J';

type How = Pick<Settings, 'output' | 'headers'>;

/** Data go to stdout, notes to stderr. Then the exit code is set, or the problem is thrown. */
export async function printAnswer(context: Context, answer: Answer | Stream, how: How): Promise<void> {
  if (isStream(answer)) return await printStream(context, answer, how);
  context.stdout.write(renderAnswer(answer, how, context.stdout.colour));
  for (const note of answer.notes ?? []) context.stderr.write(`causeway: ${visible(note)}\n`);
  if (answer.problem !== undefined) throw answer.problem;
  context.exitCode = answer.exitCode ?? 0;
}

function renderAnswer(answer: Answer, { output, headers }: How, colour: boolean): string {
  switch (output) {
    case 'json':
      return `${visibleData(renderJson(answer.value, '  '))}\n`;
    case 'yaml':
      return renderYaml(answer.value);
    case 'name':
      return answer.names.map((name) => `${visible(name)}\n`).join('');
    case 'table':
    case 'wide':
      return renderTable(answer.table, { wide: output === 'wide', headers, colour });
    default:
      return assertNever(output);
  }
}

function renderPart(stream: Stream, part: StreamPart, format: Format, colour: boolean): string {
  switch (format) {
    case 'json':
      return `${visibleData(renderJson(part.value))}\n`;
    case 'yaml':
      return `---\n${renderYaml(part.value)}`;
    case 'name':
      return part.name === undefined ? '' : `${visible(part.name)}\n`;
    case 'table':
    case 'wide':
      if (part.table !== undefined)
        return `${visible(part.heading ?? '')}\n${renderTable(part.table, { wide: format === 'wide', headers: true, colour })}\n`;
      return part.row === undefined ? '' : renderStreamRow(stream.columns, part.row, format === 'wide', colour);
    default:
      return assertNever(format);
  }
}

async function printStream(context: Context, stream: Stream, { output, headers }: How): Promise<void> {
  const { colour } = context.stdout;
  if (headers && stream.columns.length > 0 && (output === 'table' || output === 'wide'))
    context.stdout.write(renderStreamHead(stream.columns, output === 'wide', colour));
  for await (const part of stream.parts) {
    if (stream.redraws) context.stdout.write(clearScreen);
    context.stdout.write(renderPart(stream, part, output, colour));
  }
}

function renderTable(table: Table, how: TableStyle): string {
  switch (table.kind) {
    case 'grid':
      return renderGrid(table, how);
    case 'sheet':
      return renderSheet(table, how.colour);
    case 'line':
      return (typeof table.text === 'string' ? [table.text] : table.text).map((line) => `${visible(line)}\n`).join('');
    case 'script':
      return table.text;
    default:
      return assertNever(table);
  }
}
