import { CausewayError, type ErrorCode } from '@causeway/model';
import { expect, test } from 'vitest';
import { refusalForEver } from './refusal-for-ever.ts';

const managers = ['m1', 'm2', 'm3'];

/** As an answer of a manager: "cluster-mismatch". As the agent's own verdict about a manager: "own cluster-mismatch". */
function failure(text: string): CausewayError {
  const [code, own] = text.split(' ').reverse() as [ErrorCode, string?];
  const refusal = new CausewayError(code, 'why');
  if (own === undefined) return refusal;
  const data = { grpcCode: 14, refused: true, refusal: code };
  return new CausewayError('manager-unavailable', 'why', data, { cause: refusal });
}

test.each<[string, Record<string, string>, boolean]>([
  ['removed, as one manager says', { m2: 'node-removed' }, true],
  ['removed, while the others are away', { m1: 'manager-unavailable', m3: 'node-removed' }, true],
  [
    'all managers are of another cluster',
    { m1: 'own cluster-mismatch', m2: 'cluster-mismatch', m3: 'own cluster-mismatch' },
    true,
  ],
  ['two of three are', { m1: 'own cluster-mismatch', m2: 'own cluster-mismatch', m3: 'manager-unavailable' }, false],
  [
    'two of three are, and the third was not tried yet',
    { m1: 'own cluster-mismatch', m2: 'own cluster-mismatch' },
    false,
  ],
  [
    'expired, which a correct clock may heal',
    { m1: 'certificate-expired', m2: 'certificate-expired', m3: 'certificate-expired' },
    false,
  ],
  ['nothing has failed', {}, false],
])('%s', (_, given, isForEver) => {
  const failures = new Map(Object.entries(given).map(([address, code]) => [address, failure(code)]));
  expect(refusalForEver(managers, failures) !== undefined).toBe(isForEver);
});
