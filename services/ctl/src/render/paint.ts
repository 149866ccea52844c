import type { Cell, Tone } from '../answer.ts';
import { visible } from './visible.ts';

/** ECMA-48 §8.3.117, select graphic rendition. */
const codes = { good: 32, bad: 31, dim: 2, bold: 1 } as const satisfies Record<Tone, number>;

/** All text for a terminal goes through here: characters that a terminal would obey are spelled out. */
export function paint(text: string, tone: Tone | undefined, colour: boolean): string {
  const shown = visible(text);
  return colour && tone !== undefined && shown !== '' ? `\u001b[${codes[tone]}m${shown}\u001b[0m` : shown;
}

/** The text as the terminal shows it. */
export function textOf(cell: Cell): string {
  return visible(typeof cell === 'string' ? cell : cell.text);
}

export function paintCell(cell: Cell, colour: boolean): string {
  return typeof cell === 'string' ? paint(cell, undefined, colour) : paint(cell.text, cell.tone, colour);
}
