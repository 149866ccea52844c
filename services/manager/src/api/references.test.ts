import { createToken, tokenBytes } from '@causeway/identity';
import { CausewayError } from '@causeway/model';
import { expect, test } from 'vitest';
import { callContext } from '../testing/call-context.ts';
import { MemoryCluster } from '../testing/memory-cluster.ts';
import type { services } from './index.ts';

const requestId = '3b241101-e2bb-4255-8caf-4136c566a962';
const id = '0123456789abcdef';
const claim = { requestId, network: 'none', name: 'web', nodeId: id, addresses: [], labels: {}, endpointId: '' };
/** A token that was never created. */
const unknownToken = createToken({ role: 'agent', pin: new Uint8Array(32) }, new Uint8Array(tokenBytes)).id;
const update = { setLabels: {}, removeLabels: [], addSubnets: [], removeSubnets: [], addRanges: [] };
const change = { requestId, ifRevision: 0n, force: false, dryRun: false };

type Method = {
  [Service in keyof typeof services]: `${Service}.${keyof (typeof services)[Service]['rules'] & string}`;
}[keyof typeof services];

/** A field of a request that names an existing object, and how to make a request with this reference. */
type Reference = readonly [field: string, request: (reference: string) => object];
const none: readonly Reference[] = [];

/** Every method. Lists and watches have filters, which may be empty. */
const references: Readonly<Record<Method, readonly Reference[]>> = {
  'network.createNetwork': none,
  'network.getNetwork': [['network', (network) => ({ network, atLeast: 0n })]],
  'network.listNetworks': none,
  'network.watchNetworks': none,
  'network.updateNetwork': [['network', (network) => ({ ...change, ...update, network, name: '', mtu: 0 })]],
  'network.deleteNetwork': [['network', (network) => ({ ...change, network })]],
  'endpoint.claimEndpoint': [
    ['network', (network) => ({ ...claim, network })],
    ['node_id', (nodeId) => ({ ...claim, nodeId })],
  ],
  'endpoint.claimEndpoints': none,
  'endpoint.releaseEndpoint': [
    ['endpoint_id', (endpointId) => ({ requestId, endpointId, nodeId: id, reason: 0 })],
    ['node_id', (nodeId) => ({ requestId, endpointId: id, nodeId, reason: 0 })],
  ],
  'endpoint.detachEndpoint': [['endpoint', (endpoint) => ({ requestId, endpoint, force: false })]],
  'endpoint.getEndpoint': [['endpoint', (endpoint) => ({ endpoint, atLeast: 0n })]],
  'endpoint.listEndpoints': none,
  'endpoint.watchEndpoints': none,
  'endpoint.waitEndpoint': [['endpoint', (endpoint) => ({ endpoint, atLeast: 0n })]],
  'ipam.showSubnets': [['network', (network) => ({ network, atLeast: 0n })]],
  'ipam.reserveAddress': [['network', (network) => ({ requestId, network, purpose: 'printer', address: '' })]],
  'ipam.releaseAddress': [
    ['network', (network) => ({ requestId, network, address: '10.66.0.9' })],
    ['address', (address) => ({ requestId, network: 'none', address: address === '' ? '' : '10.66.0.9' })],
  ],
  'ipam.getAddressHistory': [['address', (address) => ({ address: address === '' ? '' : '10.66.0.9', network: '' })]],
  'ipam.checkClaims': none,
  'node.getNode': [['node', (node) => ({ node })]],
  'node.listNodes': none,
  'node.watchNodes': none,
  'node.drainNode': [['node', (node) => ({ requestId, node })]],
  'node.undrainNode': [['node', (node) => ({ requestId, node })]],
  'node.removeNode': [['node', (node) => ({ requestId, node, force: false })]],
  'certificate.getTrust': none,
  'certificate.join': none,
  'certificate.renew': none,
  'certificate.createToken': none,
  'certificate.listTokens': none,
  'certificate.showCa': none,
  'certificate.rotateCa': none,
  'certificate.setAutolock': none,
  'certificate.setCertificateLife': none,
  'certificate.unlock': none,
  'certificate.revokeOperator': [['name', (name) => ({ requestId, name })]],
  'certificate.revokeToken': [['token_id', (tokenId) => ({ requestId, tokenId: tokenId === '' ? '' : unknownToken })]],
  'crypto.getCryptoStatus': none,
  'crypto.rotateKeys': none,
  'cluster.getStatus': none,
  'cluster.verify': [['hosts[0]', (host) => ({ hosts: [host], repair: false })]],
  'cluster.watchEvents': none,
  'cluster.listManagers': none,
  'cluster.describeManager': none,
  'cluster.reportRefusals': none,
  'cluster.removeManager': [['name', (name) => ({ requestId, name, force: false })]],
  'cluster.createBackup': none,
};

const cases = Object.entries(references).flatMap(([method, of]) =>
  of.map(([field, request]) => [method, field, request] as const),
);

test.each(cases)('%s refuses an empty %s as invalid, and names the field', async (method, field, request) => {
  expect(await refusal(method, request(''))).toMatchObject({ kind: 'invalid', data: { field } });
});

test.each(cases)('%s does not find what %s names', async (method, _, request) => {
  expect(await refusal(method, request(id))).toMatchObject({ kind: 'not-found' });
});

test.each([
  ['the network', '/web'],
  ['the endpoint', 'blue/'],
])('a reference to an endpoint without the name of %s is invalid', async (_, endpoint) => {
  const error = await refusal('endpoint.getEndpoint', { endpoint, atLeast: 0n });
  expect(error).toMatchObject({ kind: 'invalid', data: { field: 'endpoint', value: endpoint } });
});

/** The error of a call to a manager that leads an empty cluster. */
async function refusal(path: string, request: object): Promise<CausewayError> {
  const cluster = new MemoryCluster();
  const { manager } = await cluster.startManager();
  const [service = '', method = ''] = path.split('.');
  const of = manager.api as unknown as Record<string, Record<string, (...call: unknown[]) => Promise<unknown>>>;
  const call =
    of[service]?.[method]?.(request, callContext()) ?? Promise.reject(new Error(`there is no method ${path}`));
  const error = await cluster.answer(call.catch((refused: unknown) => refused));
  await cluster.stop();
  if (!(error instanceof CausewayError)) throw new Error(`${path} ended with ${String(error)}`);
  return error;
}
