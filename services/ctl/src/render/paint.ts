import type { Cell, Tone } from '../answer.ts';

/** ECMA-48 §8.3.117, select graphic rendition. */
const codes = { good: 32, bad: 31, dim: 2, bold: 1 } as const satisfies Record<Tone | 'bold', number>;

export function paint(text: string, tone: Tone | 'bold', colour: boolean): string {
  return colour && text !== '' ? `\u001b[${codes[tone]}m${text}\u001b[0m` : text;
}

export function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

export function paintCell(cell: Cell, colour: boolean): string {
  return typeof cell === 'string' ? cell : paint(cell.text, cell.tone, colour);
}
