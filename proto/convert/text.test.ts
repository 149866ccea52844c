import { isVisible } from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkText, longestReport, longestText, sanitized } from './text.ts';

const json = fc.jsonValue();
const textsOf = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, item]) => [...(Array.isArray(value) ? [] : [key]), ...textsOf(item)])
      : [];
const anything = fc.oneof(
  json,
  fc.object({ values: [fc.string({ unit: 'binary' }), fc.bigInt(), fc.uint8Array()], withNullPrototype: false }),
);

describe('text of a message', () => {
  it.each([
    ['in a field', { requestId: '\u001b[2J' }, 'request_id'],
    ['in a list', { subnets: [{ prefix: 'a' }, { prefix: 'b\n' }] }, 'subnets[1].prefix'],
    ['in a value of a map', { labels: { tier: 'a\u0007' } }, 'labels.tier'],
    ['in a key of a map', { labels: { 'a\u202e': 'x' } }, 'labels.a\\u202e'],
    ['that is too long', { name: 'x'.repeat(longestText + 1) }, 'name'],
  ])('%s is refused by the name of the field', (_, message, field) => {
    expect(() => checkText(message)).toThrow(
      expect.objectContaining({ code: 'invalid-argument', data: { field }, message: expect.stringContaining(field) }),
    );
  });

  it('gets through as it is exactly when all of it can be seen', () => {
    fc.assert(
      fc.property(anything, (message) => {
        const good = textsOf(message).every((text) => isVisible(text) && text.length <= longestText);
        if (good) expect(checkText(message)).toBe(message);
        else expect(() => checkText(message)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
      }),
    );
  });

  it('of a report is spelled out, cut, and then passes', () => {
    fc.assert(
      fc.property(anything, (message) => {
        const read = sanitized(message);
        expect(checkText(read)).toBe(read);
        if (textsOf(message).every((text) => isVisible(text) && text.length <= longestReport))
          expect(read).toEqual(message);
      }),
    );
  });

  it('leaves bytes and numbers as they are', () => {
    const message = { bytes: Uint8Array.of(27, 91), revision: 7n, count: 3, ready: true, text: 'a\u001bb' };
    expect(sanitized(message)).toEqual({ ...message, text: 'a\\eb' });
  });
});
