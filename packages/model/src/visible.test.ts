import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clip, isVisible, listNames, visible, visibleData } from './visible.ts';

describe('what cannot be seen is spelled out', () => {
  test.each([
    ['web-1.example/eth0 é 漢 😀', 'web-1.example/eth0 é 漢 😀'],
    ['e\u001b[2J', 'e\\e[2J'],
    ['a\nb\rc\td', 'a\\nb\\rc\\td'],
    ['\u0000\u007f\u009b31m', '\\u0000\\u007f\\u009b31m'],
    ['\u202eexe.txt\u2069', '\\u202eexe.txt\\u2069'],
    ['\u2028\u0085\ufeff\ud800', '\\u2028\\u0085\\ufeff\\ud800'],
  ])('%j', (text, shown) => {
    expect(visible(text)).toBe(shown);
    expect(isVisible(text)).toBe(text === shown);
  });

  test('once is enough', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(visible(visible(text))).toBe(visible(text));
      }),
    );
  });

  test('JSON says the same with it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = visibleData(JSON.stringify({ text }, null, 2));
        expect(JSON.parse(json)).toEqual({ text });
        expect(isVisible(json.replaceAll('\n', ''))).toBe(true);
      }),
    );
  });
});

test.each([
  ['x'.repeat(64), 'x'.repeat(64)],
  ['x'.repeat(65), `${'x'.repeat(61)}...`],
  ['a\nb', 'a\\nb'],
])('%j is clipped to %j', (text, shown) => expect(clip(text)).toBe(shown));

test.each([
  [[], ''],
  [['h2', 'h1'], 'h1, h2'],
  [['h5', 'h4', 'h3', 'h2', 'h1'], 'h1, h2, h3, h4, h5'],
  [['h6', 'h5', 'h4', 'h3', 'h2', 'h1'], 'h1, h2, h3, h4, h5 and 1 more'],
])('names %j are listed as "%s"', (names, text) => expect(listNames(names.map((name) => ({ name })))).toBe(text));
