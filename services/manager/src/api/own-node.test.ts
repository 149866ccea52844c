import { expect, test } from 'vitest';
import type { CallContext } from '../call/context.ts';
import { claim, cluster, codeOf, connect, createNetwork, manager, uuid } from '../testing/manager-fixture.ts';
import { nodeId } from '../testing/view-script.ts';

const asAgentOf = (node: number): CallContext => ({
  ...cluster.call(),
  peer: { kind: 'agent', node: nodeId(node) },
});

const detach = (endpoint: string, call: CallContext, force = false) =>
  manager.api.endpoint.detachEndpoint({ requestId: uuid(), endpoint, force }, call);

test('an agent detaches no endpoint of another host, by name, by id or by force', async () => {
  await createNetwork();
  await connect(1);
  await connect(2);
  const { endpoint } = await claim('db', 1);
  for (const name of ['db', 'blue/db', endpoint?.id ?? ''])
    for (const force of [false, true])
      expect(await codeOf(detach(name, asAgentOf(2), force))).toBe('permission-denied');
  expect(manager.view.endpointCount).toBe(1);
  expect(await cluster.answer(detach('db', asAgentOf(1)))).toMatchObject({ host: 'h1' });
});

test('an operator detaches it after the agent was refused, by the same call', async () => {
  await createNetwork();
  await connect(1);
  await claim('db', 1);
  const request = { requestId: uuid(), endpoint: 'db', force: false };
  expect(await codeOf(manager.api.endpoint.detachEndpoint(request, asAgentOf(2)))).toBe('permission-denied');
  expect(await cluster.answer(manager.api.endpoint.detachEndpoint(request, cluster.call()))).toMatchObject({
    host: 'h1',
  });
});
