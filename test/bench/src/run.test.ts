import { expect, test } from 'vitest';
import type { Figure } from './figure.ts';
import { runBenches } from './run.ts';

const figure: Figure = { what: 'quick', ours: '1 ms', beside: '2 ms', ratio: 2 };

test('one that fails is a row that says why, and those after it are measured', async () => {
  const figures: string[] = [];
  const said: string[] = [];
  const report = { figures: (text: string) => void figures.push(text), say: (text: string) => void said.push(text) };
  const benches = {
    first: async () => [figure],
    broken: () => Promise.reject(new Error('the manager leads: not within 60000 ms\nlast: | not yet')),
    last: async () => [figure],
  };
  expect(await runBenches(benches, report)).toEqual(['broken']);
  expect(figures).toHaveLength(3);
  expect(figures[1]).toContain('| broken | FAILED | the manager leads: not within 60000 ms last: ¦ not yet |');
  expect(figures[2]).toContain('| quick  | 1 ms');
  expect(said.at(-1)).toBe('bench: failed: broken');
});

test('when all succeed there is nothing to say', async () => {
  const report = { figures: () => undefined, say: () => undefined };
  expect(await runBenches({ first: async () => [figure] }, report)).toEqual([]);
});
