import { expect, test } from 'vitest';
import { compare, printCompared } from './compare.ts';
import { type Figure, type Measure, ms, perSecond, quantiles } from './figure.ts';
import type { Row } from './print.ts';
import { type Report, readReport, reportOf } from './report.ts';

const run = { commit: 'abc', time: '2026-11-26T00:00:00.000Z', node: 'v20.20.2' };
const report = (...rows: readonly Row[]): Report => reportOf(run, rows, new Map());
const row = (ours: Measure, ratio?: number, what = 'it'): Row => {
  const figure: Figure = { what, ours, beside: '', ...(ratio === undefined ? {} : { ratio }) };
  return { bench: 'b', figure };
};

const pairs: readonly [string, Row, Row, number | undefined, boolean][] = [
  ['the same', row(ms(10)), row(ms(10)), 1, false],
  ['a time that is a tenth longer', row(ms(9)), row(ms(10)), 0.9, false],
  ['a time that is longer by more than a tenth', row(ms(8.9)), row(ms(10)), 0.89, true],
  ['a shorter time', row(ms(10)), row(ms(5)), 2, false],
  ['a lower rate', row(perSecond(100)), row(perSecond(80)), 0.8, true],
  ['the first value decides', row(quantiles([1, 2, 9])), row(quantiles([1, 2, 90])), 1, false],
  ['a ratio decides where there is one', row(ms(10), 2), row(ms(20), 2), 1, false],
  ['a lower ratio', row(ms(10), 2), row(ms(10), 1.5), 0.75, true],
  ['nothing on both sides', row(ms(0)), row(ms(0)), 1, false],
  ['values without a ratio to each other', row(ms(-6)), row(ms(4)), undefined, false],
];
test.each(pairs)('compare: %s', (_, before, after, ratio, isWorse) => {
  const [compared] = compare(report(before), report(after));
  if (ratio === undefined) expect(compared?.ratio).toBeUndefined();
  else expect(compared?.ratio).toBeCloseTo(ratio);
  expect(compared?.isWorse).toBe(isWorse);
});

test('rows of both files are printed, those of one file too', () => {
  const before = report(
    row(ms(10), undefined, 'same'),
    row(ms(10), undefined, 'gone'),
    row(perSecond(100), 2, 'slower'),
  );
  const after = report(row(ms(10), undefined, 'same'), row(perSecond(50), 1, 'slower'), row(ms(7), undefined, 'new'));
  expect(printCompared(compare(before, after), ['a', 'b'])).toMatchInlineSnapshot(`
    "| bench | figure | a             | b            | ratio |       |
    |-------|--------|---------------|--------------|-------|-------|
    | b     | same   | 10.0 ms       | 10.0 ms      | 1.00× |       |
    | b     | gone   | 10.0 ms       | not measured |       |       |
    | b     | slower | 100/s (2.00×) | 50/s (1.00×) | 0.50× | worse |
    | b     | new    | not measured  | 7.00 ms      |       |       |"
  `);
});

test('a report is read back from its JSON, and other JSON is refused', () => {
  const written = reportOf(run, [row(ms(10))], new Map([['scale', 'no etcd']]));
  expect(readReport(JSON.stringify(written), 'a.json')).toEqual(written);
  for (const text of ['{}', '[]', '{"rows":[{}]}', '{"rows":[{"bench":"b","figure":{"what":"it"}}]}'])
    expect(() => readReport(text, 'a.json')).toThrow(/a\.json is no report/);
});
