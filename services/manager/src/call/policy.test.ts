import { CausewayError, type NodeId } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import { callerOf, formatIdentity, type Identity, unproved } from './identity.ts';
import { authorize, checkOwnNode, operators } from './policy.ts';

const [own, other] = ['0123456789abcdef', 'fedcba9876543210'] as const;
const operator: Identity = { kind: 'operator', name: 'ops' };
const agent: Identity = { kind: 'agent', node: own as NodeId };
const manager: Identity = { kind: 'manager', name: 'm2' };
const joiner: Identity = { kind: 'joiner', address: '10.0.0.7' };

function refused(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof CausewayError ? error.code : error;
  }
}

test('an agent may open a session for its own node only', () => {
  expect(refused(() => checkOwnNode(agent, own))).toBeUndefined();
  expect(refused(() => checkOwnNode(agent, other))).toBe('permission-denied');
  expect(refused(() => checkOwnNode(unproved, other))).toBeUndefined();
});

test('a refusal says who may', () => {
  const call = { method: '/causeway.v1.NetworkService/CreateNetwork', peer: agent };
  expect(() => authorize(operators, call, {})).toThrow(
    `agent/${own} may not call /causeway.v1.NetworkService/CreateNetwork: it is for operators`,
  );
});

describe('who a call is from', () => {
  test.each<[string, Identity, string | undefined, Identity | 'permission-denied']>([
    ['the process at the other end', operator, undefined, operator],
    ['a manager, for itself', manager, undefined, manager],
    ['a manager that sends an operator’s call on', manager, formatIdentity(operator), operator],
    ['a manager that sends an agent’s call on', manager, formatIdentity(agent), agent],
    ['a manager that sends a joiner’s call on', manager, formatIdentity(joiner), joiner],
    ['an agent that says that it sends an operator’s call on', agent, formatIdentity(operator), agent],
    ['a connection that proves nothing, whatever it says', unproved, formatIdentity(operator), unproved],
    ['a manager that vouches for nothing', manager, formatIdentity(unproved), 'permission-denied'],
    ['a manager that vouches for another kind', manager, 'robot/r2', 'permission-denied'],
    ['a manager that vouches for an agent of no node', manager, 'agent/', 'permission-denied'],
  ])('%s', (_, peer, vouched, from) => {
    if (from === 'permission-denied') expect(refused(() => callerOf(peer, vouched))).toBe(from);
    else expect(callerOf(peer, vouched)).toEqual(from);
  });
});
