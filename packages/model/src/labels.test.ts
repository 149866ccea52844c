import { describe, expect, test } from 'vitest';
import { checkLabels, type Labels, parseLabel } from './labels.ts';
import { unwrap } from './result.ts';

describe('parseLabel', () => {
  test.each([
    ['a=b', 'a', 'b'],
    ['a=', 'a', ''],
    ['a=b=c', 'a', 'b=c'],
    ['app.example/tier=web, 2', 'app.example/tier', 'web, 2'],
  ])('%s', (text, key, value) => expect(unwrap(parseLabel(text, '--label'))).toEqual([key, value]));

  test.each(['', 'a', '=b'])('"%s" is not KEY=VALUE', (text) => {
    expect(() => unwrap(parseLabel(text, '--label'))).toThrow(`--label: "${text}" is not KEY=VALUE`);
  });
});

describe('checkLabels', () => {
  test.each<[string, Labels]>([
    ['none', {}],
    ['empty value', { a: '' }],
    ['a key with a domain', { 'example.com/a_b-c': 'anything, "at all" = fine' }],
    ['as many as may be', Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`k${i}`, '']))],
    ['as long as may be', { ['k'.repeat(128)]: 'v'.repeat(1_024) }],
  ])('takes %s', (_, labels) => checkLabels(labels));

  test.each<[string, Labels, string]>([
    ['no key', { '': 'x' }, 'label key "" is not valid'],
    ['a space in a key', { 'a b': 'x' }, 'label key "a b" is not valid'],
    ['a key that ends in a dot', { 'a.': 'x' }, 'label key "a." is not valid'],
    ['a long key', { ['k'.repeat(129)]: '' }, 'is not valid: expected 1 to 128'],
    ['a long value', { a: 'v'.repeat(1_025) }, 'label "a" has 1025 characters, the limit is 1024'],
    ['a control character', { a: 'x\ny' }, 'label "a" has control characters'],
    ['too many', Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ''])), '65 labels are too many'],
  ])('refuses %s', (_, labels, says) => expect(() => checkLabels(labels)).toThrow(says));
});
