import type { Name, NodeId } from '@causeway/model';
import { SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, expect, test } from 'vitest';
import { plainNetwork } from '../testing/plain-network.ts';
import { PlanHarness } from '../testing/plan-harness.ts';
import { expectRefused } from '../testing/refusal.ts';
import { scriptNode } from '../testing/view-script.ts';
import { claimEndpoint } from './claim-endpoint.ts';
import { createNetwork } from './create-network.ts';
import { type Detached, detachEndpoint } from './detach-endpoint.ts';
import { registerNode } from './register-node.ts';

const h1 = scriptNode(1);
let desk: PlanHarness;

beforeEach(() => {
  desk = new PlanHarness(new SeededRandom(7));
  desk.make(registerNode(h1));
  for (const [name, prefix] of [
    ['blue', '10.66.0.0/24'],
    ['red', '10.67.0.0/24'],
  ] as const) {
    desk.make(createNetwork(plainNetwork(name, [prefix])));
    desk.make(claimEndpoint({ network: name, name: 'web' as Name, node: h1.id, addresses: [] }));
  }
});

interface Asked {
  readonly ready?: boolean;
  readonly force?: boolean;
  /** The agent of this host asks. */
  readonly ofHost?: NodeId;
}

const detach = (endpoint: string, { ready = true, force = false, ofHost }: Asked = {}): Detached => {
  const isReady = (node: NodeId): boolean => ready && node === h1.id;
  return desk.make(detachEndpoint({ endpoint, force }, { isReady, ...(ofHost !== undefined && { ofHost }) }));
};

test('an endpoint is released by its name, wherever it is, once', () => {
  expect(detach('blue/web')).toMatchObject({ name: 'web', node: h1.id });
  expect(desk.view.endpointCount).toBe(1);
  expectRefused(desk, () => detach('blue/web'), 'endpoint-unknown', /web/);
});

test('by its id, and by a name that is used once', () => {
  const { id } = desk.view.findEndpoint('red/web').value;
  expect(detach(id).id).toBe(id);
  expect(detach('web').name).toBe('web');
  expect(desk.view.endpointCount).toBe(0);
});

test('a name of several networks is ambiguous', () => {
  expectRefused(desk, () => detach('web'), 'name-ambiguous', /blue\/web/);
});

test('that of a host which is not ready only when it is forced', () => {
  expectRefused(
    desk,
    () => detach('blue/web', { ready: false }),
    'node-unready',
    /is on host h1, which is not ready.*--force/,
  );
  expect(desk.view.endpointCount).toBe(2);
  detach('blue/web', { ready: false, force: true });
  expect(desk.view.endpointCount).toBe(1);
});

test('an agent detaches the endpoints of its own host, and no others, also by force', () => {
  const { id } = desk.view.findEndpoint('red/web').value;
  for (const endpoint of ['red/web', id])
    for (const force of [false, true])
      expectRefused(
        desk,
        () => detach(endpoint, { force, ofHost: scriptNode(2).id }),
        'permission-denied',
        /is on host h1, and an agent may detach the endpoints of its own host only/,
      );
  expect(desk.view.endpointCount).toBe(2);
  expect(detach('red/web', { ofHost: h1.id }).id).toBe(id);
});
