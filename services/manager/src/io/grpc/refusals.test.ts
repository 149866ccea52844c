import { CausewayError, type ErrorCode } from '@causeway/model';
import { expect, test } from 'vitest';
import type { Identity } from '../../call/identity.ts';
import { reportRefusal } from './refusals.ts';

const call = { getPath: () => '/causeway.v1.NetworkService/CreateNetwork', getPeer: () => '10.0.0.7:41000' };
const operator: Identity = { kind: 'operator', name: 'mary' };
const agent: Identity = { kind: 'agent', node: 'a1a1a1a1a1a1a1a1' as never };
const change = { requestId: 'x' };

function reported(code: ErrorCode, peer: Identity | undefined, request: unknown): string | undefined {
  let subject: string | undefined;
  const error = new CausewayError(code, 'no');
  reportRefusal((caller) => (subject = `${caller.subject} ${caller.method}`), call, { error, peer, request });
  return subject;
}

test.each<[string, ErrorCode, Identity | undefined, unknown, string | undefined]>([
  ['an agent that may not call it', 'permission-denied', agent, change, 'agent/a1a1a1a1a1a1a1a1'],
  ['a certificate that is refused', 'certificate-expired', undefined, change, 'unknown/10.0.0.7'],
  ['a read that is not allowed', 'permission-denied', agent, {}, 'agent/a1a1a1a1a1a1a1a1'],
  ['a change of an operator that conflicts', 'name-taken', operator, change, 'operator/mary'],
  ['a change of an operator that may be tried again', 'busy', operator, change, undefined],
  ['a read of an operator that finds nothing', 'network-unknown', operator, {}, undefined],
  ['an agent whose own work is refused', 'address-exhausted', agent, change, undefined],
])('%s', (_, code, peer, request, subject) => {
  const expected = subject === undefined ? undefined : `${subject} NetworkService/CreateNetwork`;
  expect(reported(code, peer, request)).toBe(expected);
});

test('what is no refusal is not reported', () => {
  const refused = (): never => expect.unreachable();
  reportRefusal(refused, call, { error: new Error('a defect'), peer: operator, request: change });
});
