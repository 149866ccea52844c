import { createToken, tokenBytes } from '@causeway/identity';
import { CausewayError, type NodeId } from '@causeway/model';
import { describe, expect, test } from 'vitest';
import type { Identity } from '../call/identity.ts';
import { authorize, type Rule } from '../call/policy.ts';
import { services, sessionRules } from './index.ts';

const [own, other] = ['0123456789abcdef', 'fedcba9876543210'] as const;
const operator: Identity = { kind: 'operator', name: 'ops' };
const agent: Identity = { kind: 'agent', node: own as NodeId };
const manager: Identity = { kind: 'manager', name: 'm2' };
const joiner: Identity = { kind: 'joiner', address: '10.0.0.7' };

/** The rule of every method, by "service.method". */
const rules: readonly (readonly [string, Rule<never>])[] = Object.entries({
  ...services,
  session: { rules: sessionRules },
}).flatMap(([service, { rules }]) =>
  Object.entries<Rule<never>>(rules).map(([method, rule]) => [`${service}.${method}`, rule] as const),
);

function codeOf(rule: Rule<never>, peer: Identity, request: unknown): unknown {
  try {
    authorize(rule as Rule, { method: 'm', peer }, request);
    return undefined;
  } catch (error) {
    return error instanceof CausewayError ? error.code : error;
  }
}

/** Who may call a method, for a request that names no member, or the caller itself. */
function callers(rule: Rule<never>): string {
  const may = [joiner, operator, agent, manager].filter(
    (peer) => codeOf(rule, peer, { claims: [], nodeId: own, node: own, name: 'm2' }) === undefined,
  );
  return may.map(({ kind }) => kind).join(' ');
}

test('who may call what', () => {
  expect(Object.fromEntries(rules.map(([method, rule]) => [method, callers(rule)]))).toMatchInlineSnapshot(`
    {
      "certificate.createToken": "operator",
      "certificate.getTrust": "joiner operator agent manager",
      "certificate.join": "joiner",
      "certificate.listTokens": "operator",
      "certificate.renew": "operator agent manager",
      "certificate.revokeOperator": "operator",
      "certificate.revokeToken": "operator",
      "certificate.rotateCa": "operator",
      "certificate.setAutolock": "operator",
      "certificate.setCertificateLife": "operator",
      "certificate.showCa": "operator",
      "certificate.unlock": "operator",
      "cluster.createBackup": "operator",
      "cluster.describeManager": "operator manager",
      "cluster.getStatus": "operator agent manager",
      "cluster.listManagers": "operator agent manager",
      "cluster.removeManager": "operator manager",
      "cluster.reportRefusals": "manager",
      "cluster.verify": "operator",
      "cluster.watchEvents": "operator",
      "crypto.getCryptoStatus": "operator",
      "crypto.rotateKeys": "operator",
      "endpoint.claimEndpoint": "agent",
      "endpoint.claimEndpoints": "agent",
      "endpoint.detachEndpoint": "operator agent",
      "endpoint.getEndpoint": "operator agent manager",
      "endpoint.listEndpoints": "operator agent manager",
      "endpoint.releaseEndpoint": "agent",
      "endpoint.waitEndpoint": "operator agent manager",
      "endpoint.watchEndpoints": "operator agent manager",
      "ipam.checkClaims": "operator",
      "ipam.getAddressHistory": "operator agent manager",
      "ipam.releaseAddress": "operator",
      "ipam.reserveAddress": "operator",
      "ipam.showSubnets": "operator agent manager",
      "network.createNetwork": "operator",
      "network.deleteNetwork": "operator",
      "network.getNetwork": "operator agent manager",
      "network.listNetworks": "operator agent manager",
      "network.updateNetwork": "operator",
      "network.watchNetworks": "operator agent manager",
      "node.drainNode": "operator",
      "node.getNode": "operator agent manager",
      "node.listNodes": "operator agent manager",
      "node.removeNode": "operator agent",
      "node.undrainNode": "operator",
      "node.watchNodes": "operator agent manager",
      "session.connect": "agent",
    }
  `);
});

const token = createToken({ role: 'agent', pin: new Uint8Array(32) }, new Uint8Array(tokenBytes));

/** A request of any method: all fields that name an object, and what is secret. */
const request = {
  ...{ network: 'red', endpoint: 'red/web', endpointId: own, node: 'h3', nodeId: other, name: 'x' },
  ...{ tokenId: token.id, tokenSecret: 'secret', unlockKey: 'secret', certificateRequest: 'secret' },
};

test('which object a refused call names', () => {
  const named = rules.flatMap(([method, { object }]) => (object ? [[method, object(request as never)] as const] : []));
  expect(Object.fromEntries(named)).toMatchInlineSnapshot(`
    {
      "certificate.join": "token/00000000000070y6",
      "certificate.revokeOperator": "operator/x",
      "certificate.revokeToken": "token/00000000000070y6",
      "cluster.removeManager": "manager/x",
      "crypto.getCryptoStatus": "network/red",
      "endpoint.claimEndpoint": "host/fedcba9876543210",
      "endpoint.detachEndpoint": "endpoint/red/web",
      "endpoint.getEndpoint": "endpoint/red/web",
      "endpoint.releaseEndpoint": "endpoint/0123456789abcdef",
      "endpoint.waitEndpoint": "endpoint/red/web",
      "ipam.getAddressHistory": "network/red",
      "ipam.releaseAddress": "network/red",
      "ipam.reserveAddress": "network/red",
      "ipam.showSubnets": "network/red",
      "network.createNetwork": "network/x",
      "network.deleteNetwork": "network/red",
      "network.getNetwork": "network/red",
      "network.updateNetwork": "network/red",
      "node.drainNode": "host/h3",
      "node.getNode": "host/h3",
      "node.removeNode": "host/h3",
      "node.undrainNode": "host/h3",
    }
  `);
});

describe('an agent acts for its own node', () => {
  const { claimEndpoint, claimEndpoints, releaseEndpoint } = services.endpoint.rules;
  const claim = (nodeId: string) => ({ nodeId });
  test.each<[string, Rule<never>, unknown, string | undefined]>([
    ['claims for it', claimEndpoint, claim(own), undefined],
    ['claims for another', claimEndpoint, claim(other), 'permission-denied'],
    ['several, all its own', claimEndpoints, { claims: [claim(own), claim(own)] }, undefined],
    ['several, one another’s', claimEndpoints, { claims: [claim(own), claim(other)] }, 'permission-denied'],
    ['releases on another', releaseEndpoint, claim(other), 'permission-denied'],
    ['reads what is of another', services.node.rules.getNode, { node: other }, undefined],
    ['leaves the cluster', services.node.rules.removeNode, { node: own }, undefined],
    ['removes another', services.node.rules.removeNode, { node: other }, 'permission-denied'],
    [
      'removes a host by a name, which may be that of another',
      services.node.rules.removeNode,
      { node: 'h1' },
      'permission-denied',
    ],
  ])('%s', (_, rule, request, code) => {
    expect(codeOf(rule, agent, request)).toBe(code);
  });
});

/** What holds an agent to its own node, in every method that agents may call. */
const heldBy: Readonly<
  Record<string, 'its request' | 'the plan' | 'its certificate' | 'hello' | 'it changes nothing'>
> = {
  'certificate.getTrust': 'it changes nothing',
  'certificate.renew': 'its certificate',
  'cluster.getStatus': 'it changes nothing',
  'cluster.listManagers': 'it changes nothing',
  'endpoint.claimEndpoint': 'its request',
  'endpoint.claimEndpoints': 'its request',
  'endpoint.detachEndpoint': 'the plan', // plan/detach-endpoint.test.ts
  'endpoint.getEndpoint': 'it changes nothing',
  'endpoint.listEndpoints': 'it changes nothing',
  'endpoint.releaseEndpoint': 'its request',
  'endpoint.waitEndpoint': 'it changes nothing',
  'endpoint.watchEndpoints': 'it changes nothing',
  'ipam.getAddressHistory': 'it changes nothing',
  'ipam.showSubnets': 'it changes nothing',
  'network.getNetwork': 'it changes nothing',
  'network.listNetworks': 'it changes nothing',
  'network.watchNetworks': 'it changes nothing',
  'node.getNode': 'it changes nothing',
  'node.listNodes': 'it changes nothing',
  'node.removeNode': 'its request',
  'node.watchNodes': 'it changes nothing',
  'session.connect': 'hello', // feed/admission.test.ts
};

describe('an agent is held to its own node', () => {
  const open = rules.filter(([, { may }]) => may.includes('agent'));

  test('in every method that agents may call', () => {
    expect(open.map(([method]) => method).sort()).toEqual(Object.keys(heldBy));
  });

  test.each(open)('%s', (method, rule) => {
    const of = (node: string) => ({ nodeId: node, node, claims: [{ nodeId: own }, { nodeId: node }] });
    const isHeld = codeOf(rule, agent, of(own)) === undefined && codeOf(rule, agent, of(other)) === 'permission-denied';
    expect(isHeld).toBe(heldBy[method] === 'its request');
    if (heldBy[method] === 'it changes nothing') expect(method).toMatch(/\.(get|list|watch|wait|show)[A-Z]/);
  });
});

test('a manager may remove itself, and no other', () => {
  const { removeManager } = services.cluster.rules;
  expect(codeOf(removeManager, manager, { name: 'm2' })).toBeUndefined();
  expect(codeOf(removeManager, manager, { name: 'm1' })).toBe('permission-denied');
});
