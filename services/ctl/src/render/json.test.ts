import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderJson } from './json.ts';

describe('JSON', () => {
  test('is what JSON.stringify makes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('', '  '), (value, indent) => {
        expect(renderJson(value, indent)).toBe(JSON.stringify(value, null, indent));
      }),
    );
  });

  test('has a bigint as a number, whatever its size', () => {
    fc.assert(
      fc.property(fc.bigInt(), (value) => {
        expect(renderJson({ value })).toBe(`{"value":${value}}`);
      }),
    );
  });

  test.each<[unknown, string]>([
    [{ a: [1n, { b: 2n, c: null, d: undefined }], e: 'x', f: true }, '{"a":[1,{"b":2,"c":null}],"e":"x","f":true}'],
    [[undefined], '[null]'],
    [undefined, 'null'],
    [[], '[]'],
  ])('of %o', (value, json) => expect(renderJson(value)).toBe(json));
});
