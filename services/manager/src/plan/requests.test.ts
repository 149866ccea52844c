import {
  ClaimEndpointRequest,
  ReleaseEndpointRequest,
  ReleaseReason,
} from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import {
  CreateNetworkRequest,
  DeleteNetworkRequest,
  UpdateNetworkRequest,
} from '@causeway/proto/gen/causeway/v1/network_service.js';
import { expect, test } from 'vitest';
import { readClaimEndpoint, readReleaseEndpoint } from './endpoint-requests.ts';
import { sorted } from './fields.ts';
import { readCreateNetwork, readDeleteNetwork, readUpdateNetwork } from './network-requests.ts';

test.each<[string, number, string]>([
  ['none', ReleaseReason.UNSPECIFIED, 'asked'],
  ['the container is gone', ReleaseReason.CONTAINER_GONE, 'container-gone'],
  ['no container is known', ReleaseReason.CONTAINER_UNKNOWN, 'container-unknown'],
  ['the attach failed', ReleaseReason.ATTACH_FAILED, 'attach-failed'],
  ['one of a later agent', 99, 'asked'],
])('reason for a release: %s', (_, reason, expected) => {
  const ids = { endpointId: 'e'.repeat(16), nodeId: 'a'.repeat(16) };
  expect(readReleaseEndpoint(ReleaseEndpointRequest.create({ ...ids, reason })).reason).toBe(expected);
});

test('a claim: labels and the former id only when they are named', () => {
  const least = { network: 'blue', name: 'web', node: 'a'.repeat(16), addresses: [] };
  const read = (message: Partial<ClaimEndpointRequest>) =>
    readClaimEndpoint(
      ClaimEndpointRequest.create({ network: 'blue', name: 'web', nodeId: 'a'.repeat(16), ...message }),
    );
  expect(Object.entries(read({}))).toEqual(Object.entries(least));
  expect(read({ labels: { tier: 'data' }, endpointId: 'e'.repeat(16), addresses: ['10.66.0.7'] })).toEqual({
    ...{ ...least, addresses: ['10.66.0.7'] },
    ...{ labels: { tier: 'data' }, former: 'e'.repeat(16) },
  });
});

test('a deletion: of any revision, or of one named revision', () => {
  const read = (message: Partial<DeleteNetworkRequest>) =>
    readDeleteNetwork(DeleteNetworkRequest.create({ network: 'blue', ...message }));
  expect(read({})).toEqual({ network: 'blue', force: false });
  expect(read({ ifRevision: 7n, force: true })).toEqual({ network: 'blue', ifRevision: 7n, force: true });
});

test('a creation: what is not named is left to the manager', () => {
  const read = (message: Partial<CreateNetworkRequest>) =>
    readCreateNetwork(CreateNetworkRequest.create({ name: 'blue', ...message }));
  const least = { name: 'blue', addressSpace: 'default', driver: 'overlay', internal: false };
  const rest = { subnets: [], gateways: 'all', families: [], labels: {} };
  expect(read({})).toEqual({ ...least, ...rest });
  const asked = { vni: 7, mtu: 1_400, ipv4: true, ipv6: true, force: true, noGateway: true, addressSpace: 'other' };
  expect(read({ ...asked, driver: 'overlay' })).toEqual({
    ...{ ...least, ...rest, vni: 7, mtu: 1_400, families: [4, 6], force: true },
    ...{ gateways: 'asked-for', addressSpace: 'other' },
  });
  for (const driver of ['', 'overlay', 'encrypted-overlay'])
    expect(read({ driver, encrypt: true }).driver).toBe('encrypted-overlay');
  expect(read({ driver: 'encrypted-overlay' }).driver).toBe('encrypted-overlay');
});

test('an update: what is not named stays', () => {
  const read = (message: Partial<UpdateNetworkRequest>) =>
    readUpdateNetwork(UpdateNetworkRequest.create({ network: 'blue', ...message }));
  const least = { network: 'blue', setLabels: {}, removeLabels: [], addSubnets: [], gateways: 'all' };
  const rest = { removeSubnets: [], addRanges: [] };
  expect(read({})).toEqual({ ...least, ...rest });
  expect(read({ mtu: 1_400, name: 'red', ifRevision: 7n, force: true, noGateway: true })).toEqual({
    ...{ ...least, ...rest, mtu: 1_400, name: 'red', ifRevision: 7n, force: true, gateways: 'asked-for' },
  });
  expect(read({ mtuAutomatic: true })).toMatchObject({ mtu: 'automatic' });
});

test('pairs are sorted, so that the same request has the same content', () => {
  expect(Object.keys(sorted({ b: 1, c: 2, a: 3 }))).toEqual(['a', 'b', 'c']);
});
