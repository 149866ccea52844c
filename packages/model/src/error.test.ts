import { expect, test } from 'vitest';
import { CausewayError, type ErrorCode, isCausewayError } from './error.ts';

const refused = new CausewayError('network-unknown', 'no network "blue"', { field: 'network' });

test.each<[string, unknown, ErrorCode | undefined, boolean]>([
  ['one of ours', refused, undefined, true],
  ['one of ours with that code', refused, 'network-unknown', true],
  ['one of ours with another code', refused, 'busy', false],
  ['another error', new Error('x'), undefined, false],
  ['another error, asked for a code', Object.assign(new Error('x'), { code: 'busy' }), 'busy', false],
])('%s', (_, error, code, expected) => expect(isCausewayError(error, code)).toBe(expected));

test('the kind follows from the code', () => {
  expect(refused.kind).toBe('not-found');
});
