import { expect, test } from 'vitest';
import { CausewayError } from './error.ts';
import { formatRefusal, parseRefusal } from './refusal.ts';

test('a refusal keeps its code and its message', () => {
  const refusal = new CausewayError('cluster-mismatch', 'manager/m1 belongs to the cluster c2:\nrefused as x: y');
  expect(parseRefusal(formatRefusal(refusal))).toMatchObject({ code: refusal.code, message: refusal.message });
});

test.each(['connect ECONNREFUSED 10.0.0.1:7443', 'refused as unheard-of: why', 'was refused as internal: why', ''])(
  '"%s" is another failure',
  (text) => expect(parseRefusal(text)).toBeUndefined(),
);
