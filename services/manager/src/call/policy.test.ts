import { CausewayError, type NodeId } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import { callerOf, formatIdentity, type Identity, unproved } from './identity.ts';
import { authorize, checkOwnNode, policy, type Rule } from './policy.ts';

const [own, other] = ['0123456789abcdef', 'fedcba9876543210'] as const;
const operator: Identity = { kind: 'operator', name: 'ops' };
const agent: Identity = { kind: 'agent', node: own as NodeId };
const manager: Identity = { kind: 'manager', name: 'm2' };

function refused(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof CausewayError ? error.code : error;
  }
}

/** Who may call a method, for a request that names no node. */
function callers(rule: Rule<never>): string {
  const may = [operator, agent, manager].filter(
    (peer) => refused(() => authorize(rule as Rule, { method: 'm', peer }, { claims: [], nodeId: own })) === undefined,
  );
  return may.map(({ kind }) => kind).join(' ');
}

test('who may call what', () => {
  const table = Object.fromEntries(
    Object.values(policy).flatMap((rules) =>
      Object.entries(rules as Readonly<Record<string, Rule<never>>>).map(([method, rule]) => [method, callers(rule)]),
    ),
  );
  expect(table).toMatchInlineSnapshot(`
    {
      "checkClaims": "operator",
      "claimEndpoint": "agent",
      "claimEndpoints": "agent",
      "connect": "agent",
      "createBackup": "operator",
      "createNetwork": "operator",
      "deleteNetwork": "operator",
      "describeManager": "operator manager",
      "detachEndpoint": "operator agent",
      "getAddressHistory": "operator agent manager",
      "getEndpoint": "operator agent manager",
      "getNetwork": "operator agent manager",
      "getNode": "operator agent manager",
      "getStatus": "operator agent manager",
      "listEndpoints": "operator agent manager",
      "listManagers": "operator agent manager",
      "listNetworks": "operator agent manager",
      "listNodes": "operator agent manager",
      "releaseAddress": "operator",
      "releaseEndpoint": "agent",
      "removeManager": "operator",
      "reserveAddress": "operator",
      "showSubnets": "operator agent manager",
      "updateNetwork": "operator",
      "verify": "operator",
      "waitEndpoint": "operator agent manager",
      "watchEndpoints": "operator agent manager",
      "watchEvents": "operator",
      "watchNetworks": "operator agent manager",
      "watchNodes": "operator agent manager",
    }
  `);
});

test('a connection that proves nothing is let in everywhere', () => {
  for (const rules of Object.values(policy))
    for (const [method, rule] of Object.entries(rules as Readonly<Record<string, Rule<never>>>))
      expect(refused(() => authorize(rule as Rule, { method, peer: unproved }, { nodeId: other }))).toBeUndefined();
});

describe('an agent acts for its own node', () => {
  const claim = (nodeId: string) => ({ nodeId }) as never;
  test.each<[string, Rule<never>, unknown, string | undefined]>([
    ['claims for it', policy.endpoint.claimEndpoint, claim(own), undefined],
    ['claims for another', policy.endpoint.claimEndpoint, claim(other), 'permission-denied'],
    ['several, all its own', policy.endpoint.claimEndpoints, { claims: [claim(own), claim(own)] }, undefined],
    [
      'several, one another’s',
      policy.endpoint.claimEndpoints,
      { claims: [claim(own), claim(other)] },
      'permission-denied',
    ],
    ['releases on another', policy.endpoint.releaseEndpoint, claim(other), 'permission-denied'],
    ['reads what is of another', policy.node.getNode, { node: other }, undefined],
  ])('%s', (_, rule, request, code) => {
    expect(refused(() => authorize(rule as Rule, { method: 'm', peer: agent }, request))).toBe(code);
  });

  test('a session', () => {
    expect(refused(() => checkOwnNode(agent, own))).toBeUndefined();
    expect(refused(() => checkOwnNode(agent, other))).toBe('permission-denied');
    expect(refused(() => checkOwnNode(unproved, other))).toBeUndefined();
  });
});

test('a refusal says who may', () => {
  const call = { method: '/causeway.v1.NetworkService/CreateNetwork', peer: agent };
  expect(() => authorize(policy.network.createNetwork, call, {})).toThrow(
    `agent/${own} may not call /causeway.v1.NetworkService/CreateNetwork: it is for operators`,
  );
});

describe('who a call is from', () => {
  test.each<[string, Identity, string | undefined, Identity | 'permission-denied']>([
    ['whoever is at the other end', operator, undefined, operator],
    ['a manager, for itself', manager, undefined, manager],
    ['a manager that sends an operator’s call on', manager, formatIdentity(operator), operator],
    ['a manager that sends an agent’s call on', manager, formatIdentity(agent), agent],
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
