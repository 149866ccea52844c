import type { Answer } from '../answer.ts';
import type { Finding } from '../diagnosis.ts';

export function diagnosisAnswer(findings: readonly Finding[]): Answer {
  return {
    value: {
      findings: findings.map(({ about, problem, effect, remedy }) => ({
        about,
        problem,
        effect: effect || null,
        remedy,
      })),
    },
    names: findings.map(({ about }) => about),
    table:
      findings.length === 0
        ? { kind: 'line', text: 'nothing is wrong' }
        : { kind: 'line', text: findings.flatMap(paragraph) },
  };
}

/** Sentences do not fit into columns. */
function paragraph({ about, problem, effect, remedy }: Finding): string[] {
  return [`${about}: ${problem}`, ...(effect === '' ? [] : [`    effect: ${effect}`]), `    to do: ${remedy}`];
}
