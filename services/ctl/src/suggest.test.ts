import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nearest } from './suggest.ts';

describe('the name that was most likely meant', () => {
  test.each<[word: string, names: string[], meant: string | undefined]>([
    ['blu', ['red', 'blue', 'green'], 'blue'],
    ['bleu', ['blue', 'blvd'], 'blue'],
    ['BLUE', ['blue'], 'blue'],
    ['web1', ['web2', 'web'], 'web'],
    ['web', ['db', 'cache'], undefined],
    ['blue/wbe', ['blue/web', 'red/web'], 'blue/web'],
    ['x', ['y'], 'y'],
    ['nothing-like-it', ['web'], undefined],
    ['', ['web'], undefined],
    ['web', [], undefined],
  ])('%s of %j', (word, names, meant) => expect(nearest(word, names)).toBe(meant));

  test('is the name itself where it is there, and one typing mistake away is always found', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{2,12}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1 }), fc.nat(), fc.nat(), (names, which, where) => {
        const word = names[which % names.length] ?? '';
        expect(nearest(word, names)).toBe(word);
        const at = where % word.length;
        expect(nearest(word.slice(0, at) + word.slice(at + 1), [word])).toBe(word);
      }),
    );
  });
});
