import type { Answer } from '../answer.ts';

/** The answer about an object that was removed: its name, and the revision that removed it. */
export function removalAnswer(name: string, revision: bigint, text: string): Answer {
  return { value: { name, revision }, names: [name], table: { kind: 'line', text } };
}
