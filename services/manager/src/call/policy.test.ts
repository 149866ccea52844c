import { CausewayError, type NodeId } from '@causeway/model';
import { expect, test } from 'vitest';
import type { Identity } from './identity.ts';
import { authorize, checkOwnNode, everyone, operators } from './policy.ts';

const [own, other] = ['0123456789abcdef', 'fedcba9876543210'] as const;
const operator: Identity = { kind: 'operator', name: 'ops' };
const agent: Identity = { kind: 'agent', node: own as NodeId };
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
  expect(refused(() => checkOwnNode(operator, other))).toBeUndefined();
});

test('a refusal says who may', () => {
  const call = { method: '/causeway.v1.NetworkService/CreateNetwork', peer: agent };
  expect(() => authorize(operators, call, {})).toThrow(
    `agent/${own} may not call /causeway.v1.NetworkService/CreateNetwork: it is for operators`,
  );
});

test('a host that has not joined is told what to do', () => {
  const call = { method: '/causeway.v1.NodeService/ListNodes', peer: joiner };
  expect(() => authorize(everyone, call, {})).toThrow(/is for operators, agents, managers, .* run "causeway join"/);
  expect(refused(() => authorize(everyone, call, {}))).toBe('certificate-missing');
});
