import type { EndpointId, Name } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, expect, test } from 'vitest';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { expectRefused } from '../testing/refusal.ts';
import { scriptNode } from '../testing/view-script.ts';
import { claimEndpoint } from './claim-endpoint.ts';
import { createNetwork } from './create-network.ts';
import { registerNode } from './register-node.ts';
import { releaseEndpoint } from './release-endpoint.ts';

const [h1, h2] = [scriptNode(1), scriptNode(2)];
let desk: PlanHarness;
let web: EndpointId;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
  for (const node of [h1, h2]) desk.make(registerNode(node));
  desk.make(createNetwork(plainNetwork('blue', ['10.66.0.0/24'])));
  web = desk.make(claimEndpoint({ network: 'blue', name: 'web' as Name, node: h1.id, addresses: [] })).id;
});

const release = (endpoint: EndpointId, node = h1) =>
  desk.make(releaseEndpoint({ endpoint, node: node.id, reason: 'asked' }));

test('an endpoint is released by its own host only, once', () => {
  expectRefused(desk, () => release(web, h2), 'permission-denied', /belongs to another host/);
  release(web);
  expect(desk.view.endpointCount).toBe(0);
  expectRefused(desk, () => release(web), 'endpoint-unknown', new RegExp(web));
});

test('an endpoint that never existed is unknown', () => {
  expectRefused(desk, () => release('ffffffffffffffff' as EndpointId), 'endpoint-unknown', /ffff/);
});
