import { expect, test } from 'vitest';
import { atMost, type Figure, ms } from './figure.ts';
import { runBenches } from './run.ts';

const figure: Figure = { what: 'quick', ours: ms(1), beside: '2 ms', ratio: 2, target: atMost(1.5) };
const slow: Figure = { what: 'slow', ours: ms(9), beside: '', target: atMost(1.5) };

async function printed(benches: Parameters<typeof runBenches>[0]) {
  const figures: string[] = [];
  const said: string[] = [];
  const printer = { figures: (text: string) => void figures.push(text), say: (text: string) => void said.push(text) };
  return { ...(await runBenches(benches, printer)), figures, said };
}

test('a bench that fails is a row that says why, and those after it are measured', async () => {
  const { figures, said, rows, failed } = await printed({
    first: async () => [figure],
    broken: () => Promise.reject(new Error('the manager leads: not within 60000 ms\nlast: | not yet')),
    last: async () => [slow],
  });
  expect(figures).toHaveLength(3);
  expect(figures[1]).toContain('| slow   | 9.00 ms');
  expect(figures[2]).toMatchInlineSnapshot(`
    "| bench  | figure                                                 | Causeway | ratio | target   |        |
    |--------|--------------------------------------------------------|----------|-------|----------|--------|
    | first  | quick                                                  | 1.00 ms  | 2.00× | ≤ 1.5 ms | met    |
    | last   | slow                                                   | 9.00 ms  |       | ≤ 1.5 ms | missed |
    | broken | the manager leads: not within 60000 ms last: ¦ not yet |          |       |          | FAILED |"
  `);
  expect(said.at(-1)).toBe('bench: failed: broken');
  expect(rows.map(({ bench }) => bench)).toEqual(['first', 'last']);
  expect([...failed.keys()]).toEqual(['broken']);
});

test('when all succeed nothing has failed', async () => {
  const { failed, said } = await printed({ first: async () => [figure] });
  expect(failed.size).toBe(0);
  expect(said).toEqual(['bench: first …']);
});
