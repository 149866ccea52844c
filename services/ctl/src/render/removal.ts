import type { Answer } from '../answer.ts';

/** What is left to say of something that is gone: its name, and the revision that removed it. */
export function removalAnswer(name: string, revision: bigint, text: string): Answer {
  return { value: { name, revision }, names: [name], table: { kind: 'line', text } };
}
