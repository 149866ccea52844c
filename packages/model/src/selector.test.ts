import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Labels } from './labels.ts';
import { unwrap } from './result.ts';
import {
  type FieldTerm,
  formatFieldSelector,
  formatLabelSelector,
  type LabelSelector,
  matchesLabels,
  parseFieldSelector,
  parseLabelSelector,
} from './selector.ts';

describe('label selectors', () => {
  test.each<[text: string, selector: LabelSelector, printed: string]>([
    ['', [], ''],
    ['  ', [], ''],
    ['a=b', [{ kind: 'in', key: 'a', values: ['b'] }], 'a=b'],
    ['a == b', [{ kind: 'in', key: 'a', values: ['b'] }], 'a=b'],
    ['a!=b', [{ kind: 'not-in', key: 'a', values: ['b'] }], 'a!=b'],
    ['a in (x, y)', [{ kind: 'in', key: 'a', values: ['x', 'y'] }], 'a in (x,y)'],
    ['a notin(x)', [{ kind: 'not-in', key: 'a', values: ['x'] }], 'a!=x'],
    ['a', [{ kind: 'has', key: 'a' }], 'a'],
    ['!a', [{ kind: 'has-not', key: 'a' }], '!a'],
    ['a=', [{ kind: 'in', key: 'a', values: [''] }], 'a='],
    ['a in (,x)', [{ kind: 'in', key: 'a', values: ['', 'x'] }], 'a in (,x)'],
    ['in in (in,notin)', [{ kind: 'in', key: 'in', values: ['in', 'notin'] }], 'in in (in,notin)'],
    ['example.com/tier=web', [{ kind: 'in', key: 'example.com/tier', values: ['web'] }], 'example.com/tier=web'],
    ['a="x, \\"y\\" \\\\"', [{ kind: 'in', key: 'a', values: ['x, "y" \\'] }], 'a="x, \\"y\\" \\\\"'],
    [
      'a=b,!c , d in (e)',
      [
        { kind: 'in', key: 'a', values: ['b'] },
        { kind: 'has-not', key: 'c' },
        { kind: 'in', key: 'd', values: ['e'] },
      ],
      'a=b,!c,d=e',
    ],
  ])('%s', (text, selector, printed) => {
    expect(unwrap(parseLabelSelector(text))).toEqual(selector);
    expect(formatLabelSelector(selector)).toBe(printed);
  });

  test.each([
    [',', 'expected a label key at ","'],
    ['a,', 'expected a label key at its end'],
    ['a b', 'expected "=", "!=", "in", "notin", "," or the end at "b"'],
    ['a=b c', 'expected "," or the end at "c"'],
    ['=b', 'expected a label key at "=b"'],
    ['!', 'expected a label key at its end'],
    ['a in x', 'expected "(" at "x"'],
    ['a in (x', 'expected "," or ")" at its end'],
    ['a>5', 'expected a label key at "a>5"'],
    ['"a"=b', 'expected a label key at ""a"=b"'],
    ['a="b', 'a quoted value without its end, or with a stray "\\", at ""b"'],
  ])('%s is refused', (text, says) => {
    const parsed = parseLabelSelector(text);
    expect(parsed).toMatchObject({
      ok: false,
      error: { code: 'invalid-argument', message: `label_selector: ${says}` },
    });
  });

  test.each<[text: string, labels: Labels, matches: boolean]>([
    ['', {}, true],
    ['a=b', { a: 'b' }, true],
    ['a=b', { a: 'c' }, false],
    ['a=b', {}, false],
    ['a!=b', { a: 'c' }, true],
    ['a!=b', {}, true],
    ['a!=b', { a: 'b' }, false],
    ['a in (b,c)', { a: 'c' }, true],
    ['a notin (b,c)', { a: 'c' }, false],
    ['a', { a: '' }, true],
    ['a', {}, false],
    ['!a', {}, true],
    ['!a', { a: '' }, false],
    ['constructor', {}, false],
    ['!toString', {}, true],
    ['a=b,c', { a: 'b' }, false],
    ['a=b,c', { a: 'b', c: '' }, true],
  ])('%s of %j: %s', (text, labels, matches) => {
    expect(matchesLabels(unwrap(parseLabelSelector(text)), labels)).toBe(matches);
  });

  const key = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._/-]{0,8}[A-Za-z0-9])?$/);
  const value = fc.oneof(fc.string(), fc.stringMatching(/^[ =!(),"\\a]{0,6}$/));
  const selectors = fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constantFrom('in' as const, 'not-in' as const),
        key,
        values: fc.array(value, { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ kind: fc.constantFrom('has' as const, 'has-not' as const), key }),
    ),
  );

  test('what is printed is read back', () => {
    fc.assert(
      fc.property(selectors, (selector) => {
        expect(unwrap(parseLabelSelector(formatLabelSelector(selector)))).toEqual(selector);
      }),
    );
  });

  test('no text does harm: it parses to what prints and parses again the same, or is refused with a place', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ab ,=!()"\\in]*$/), (text) => {
        const parsed = parseLabelSelector(text);
        if (parsed.ok) expect(unwrap(parseLabelSelector(formatLabelSelector(parsed.value)))).toEqual(parsed.value);
        else expect(parsed.error.data).toMatchObject({ field: 'label_selector', at: expect.any(Number) });
      }),
    );
  });
});

describe('field selectors', () => {
  test.each<[text: string, terms: readonly FieldTerm[], printed: string]>([
    ['', [], ''],
    ['name=web', [{ field: 'name', equal: true, value: 'web' }], 'name=web'],
    [
      'address == fd66::9, host!=h1',
      [
        { field: 'address', equal: true, value: 'fd66::9' },
        { field: 'host', equal: false, value: 'h1' },
      ],
      'address=fd66::9,host!=h1',
    ],
  ])('%s', (text, terms, printed) => {
    expect(unwrap(parseFieldSelector(text))).toEqual(terms);
    expect(formatFieldSelector(terms)).toBe(printed);
  });

  test.each([
    ['name', 'expected "=" or "!=" at its end'],
    ['name in (a)', 'expected "=" or "!=" at "in (a)"'],
    ['!name', 'expected the name of a field at "!name"'],
  ])('%s is refused', (text, says) => {
    expect(parseFieldSelector(text)).toMatchObject({ ok: false, error: { message: `field_selector: ${says}` } });
  });
});
