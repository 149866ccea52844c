import { expect, test } from 'vitest';
import {
  atLeast,
  atMost,
  type Figure,
  type Measure,
  mib,
  ms,
  perSecond,
  quantiles,
  seconds,
  share,
  verdictOf,
} from './figure.ts';
import { print, printTarget } from './print.ts';

const times = [1, 2, 3, 40];
const noAnswer: Measure = { unit: 's', values: {}, text: 'no answer' };

test.each<[Measure, string]>([
  [ms(0.123), '0.12 ms'],
  [ms(-12.34), '-12.3 ms'],
  [ms(123.4), '123 ms'],
  [quantiles(times), 'p50 3.00 ms, p99 40.0 ms'],
  [seconds(1234), '1.23 s'],
  [mib(3 * 2 ** 20), '3 MiB'],
  [perSecond(1234.5), '1235/s'],
  [share(0.5, 10), '5.0 %'],
  [noAnswer, 'no answer'],
])('%j is printed as "%s"', (measure, text) => {
  expect(print(measure)).toBe(text);
});

const rows: readonly [string, Partial<Figure>, string, string | undefined][] = [
  ['no target', {}, '', undefined],
  ['a value below its limit', { target: atMost(5) }, '≤ 5 ms', 'met'],
  ['a value at its limit', { target: atMost(3) }, '≤ 3 ms', 'met'],
  ['a value above its limit', { target: atMost(2) }, '≤ 2 ms', 'missed'],
  ['two limits', { ours: quantiles(times), target: atMost({ p50: 5, p99: 50 }) }, 'p50 ≤ 5 ms, p99 ≤ 50 ms', 'met'],
  ['one of two', { ours: quantiles(times), target: atMost({ p50: 5, p99: 30 }) }, 'p50 ≤ 5 ms, p99 ≤ 30 ms', 'missed'],
  ['a ratio', { ratio: 2, target: atLeast(3, 'ratio') }, '≥ 3×', 'missed'],
  ['a ratio that is high enough', { ratio: 3, target: atLeast(3, 'ratio') }, '≥ 3×', 'met'],
  ['a rate', { ours: perSecond(200), target: atLeast(200) }, '≥ 200/s', 'met'],
  ['an answer that did not come', { ours: noAnswer, target: atLeast(0) }, '≥ 0 s', 'missed'],
];
test.each(rows)('the verdict of %s', (_, part, target, verdict) => {
  const figure: Figure = { what: 'it', ours: ms(3), beside: '', ...part };
  expect(printTarget(figure)).toBe(target);
  expect(verdictOf(figure)).toBe(verdict);
});
