import { CausewayError, type ErrorCode } from '@causeway/model';
import { expect, test } from 'vitest';
import type { Identity } from '../../call/identity.ts';
import { ofName } from '../../call/named-object.ts';
import { reportRefusal } from './refusals.ts';

const call = { getPath: () => '/causeway.v1.NetworkService/CreateNetwork', getPeer: () => '10.0.0.7:41000' };
const operator: Identity = { kind: 'operator', name: 'mary' };
const agent: Identity = { kind: 'agent', node: 'a1a1a1a1a1a1a1a1' as never };
const change = { requestId: 'x', name: 'red' };
const rule = { object: ofName('network') };

type Asked = { readonly name: string } | undefined;

function reported(code: ErrorCode, peer: Identity | undefined, request: Asked): unknown {
  let reported: unknown;
  const error = new CausewayError(code, 'no');
  reportRefusal((refused) => (reported = refused), rule, call, { error, peer, request });
  return reported;
}

test.each<[string, ErrorCode, Identity | undefined, Asked, string | undefined]>([
  ['an agent that may not call it', 'permission-denied', agent, change, 'agent/a1a1a1a1a1a1a1a1'],
  ['a certificate that is refused', 'certificate-expired', undefined, change, 'unknown/10.0.0.7'],
  ['a read that is not allowed', 'permission-denied', agent, { name: 'red' }, 'agent/a1a1a1a1a1a1a1a1'],
  ['a change of an operator that conflicts', 'name-taken', operator, change, 'operator/mary'],
  ['a change of an operator that may be tried again', 'busy', operator, change, undefined],
  ['a read of an operator that finds nothing', 'network-unknown', operator, { name: 'red' }, undefined],
  ['an agent whose own work is refused', 'address-exhausted', agent, change, undefined],
])('%s', (_, code, peer, request, subject) => {
  const expected = { subject, method: 'NetworkService/CreateNetwork', object: 'network/red' };
  expect(reported(code, peer, request)).toEqual(subject === undefined ? undefined : expected);
});

test('a request that was not read names no object', () => {
  expect(reported('certificate-expired', undefined, undefined)).toMatchObject({ object: undefined });
});

test('what is no refusal is not reported', () => {
  const refused = (): never => expect.unreachable();
  reportRefusal(refused, rule, call, { error: new Error('a defect'), peer: operator, request: change });
});
