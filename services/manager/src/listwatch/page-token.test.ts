import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPageToken, type PageToken, parsePageToken } from './page-token.ts';

const query = { label_selector: 'a="é"', field_selector: '', network: 'blue' };
const token: PageToken = { query, revision: 42n, after: { name: 'web', id: '00000000000000e1' } };

describe('page tokens', () => {
  test('come back as they went', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.string()),
        fc.bigInt({ min: 0n, max: 2n ** 59n }),
        (asked, revision) => {
          const one = { ...token, query: asked, revision };
          expect(parsePageToken(formatPageToken(one), asked)).toEqual(one);
        },
      ),
    );
  });

  test.each<[string, PageToken['query'], string]>([
    ['another selector', { ...query, label_selector: 'a' }, 'label_selector'],
    ['another network', { ...query, network: 'red' }, 'network'],
    ['of another kind', { label_selector: query.label_selector, field_selector: '' }, 'network'],
    ['of another kind', { ...query, host: '' }, 'host'],
  ])('%s', (_, asked, field) => {
    const parse = () => parsePageToken(formatPageToken(token), asked);
    expect(parse).toThrow(`${field} differs from the request that returned this page_token`);
    expect(parse).toThrow(expect.objectContaining({ code: 'invalid-argument', data: { field } }));
  });

  test('no other text is a page token', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc.json().map((text) => btoa(encodeURIComponent(text))),
        ),
        (text) => {
          expect(() => parsePageToken(text, query)).toThrow('page_token was not returned by a list');
        },
      ),
    );
  });
});
