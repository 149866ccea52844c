import type { CausewayError } from '@causeway/model';
import type { RemoveNodeRequest } from '@causeway/proto/gen/causeway/v1/node_service.js';
import { seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import type { Manager } from '../manager.ts';
import { claim, cluster, codeOf, connect, createNetwork, manager, uuid } from '../testing/manager-fixture.ts';
import { MemoryAgent } from '../testing/memory-agent.ts';
import { nodeId, scriptNode } from '../testing/view-script.ts';

const remove = (fields: Partial<RemoveNodeRequest> = {}, at: Manager = manager) =>
  cluster.answer(
    at.api.node.removeNode({ requestId: uuid(), node: 'h1', force: false, ...fields }, cluster.call(seconds(20))),
  );
const hosts = () => [...manager.view.nodes.values()].map(({ value }) => value.name);
const eventsOf = async (kind: string) => {
  await cluster.settle();
  const found: string[] = [];
  const request = { fromSequence: 0n, follow: false, sinceMs: 0n, kinds: [kind], network: '', host: '', tail: 0 };
  for await (const { event } of manager.api.cluster.watchEvents(request, cluster.call()))
    found.push(event?.message ?? '');
  return found;
};

/** A claim of the host, a release, and a session: the code with which each is refused. */
async function refusals(node: number, at: Manager = manager): Promise<readonly string[]> {
  const claiming = { requestId: uuid(), network: 'blue', name: 'x', nodeId: nodeId(node), addresses: [], labels: {} };
  const call = cluster.call();
  const { endpoint: api } = at.api;
  const release = { requestId: uuid(), endpointId: 'e000000000000001', nodeId: nodeId(node), reason: 0 };
  const agent = await connect(node, at);
  return [
    await codeOf(api.claimEndpoint({ ...claiming, endpointId: '' }, call)),
    await codeOf(api.claimEndpoints({ claims: [{ ...claiming, endpointId: '' }] }, call)),
    await codeOf(api.releaseEndpoint(release, call)),
    agent.closed?.error?.code ?? agent.take().join(),
  ];
}

describe('a host in use', () => {
  test('is not removed while it is connected or has endpoints, and is drained by no such attempt', async () => {
    await createNetwork();
    const agent = await connect(1);
    expect(await codeOf(remove())).toBe('node-in-use');
    await claim('web', 1);
    agent.hangUp();
    await cluster.settle();
    expect(await remove().catch((error: CausewayError) => [error.code, error.message])).toEqual([
      'node-in-use',
      'host h1 has the endpoint web: detach its endpoints first, or remove it with --force',
    ]);
    expect(manager.view.findNode('h1').value.drained).toBeUndefined();
  });

  test('is removed when it is neither', async () => {
    (await connect(1)).hangUp();
    await cluster.settle();
    expect(await remove()).toMatchObject({ released: 0, interfacesRemoved: true, revision: manager.view.revision });
    expect(hosts()).toEqual([]);
    expect(await eventsOf('node.removed')).toEqual([`host h1 (${nodeId(1)}) was removed`]);
  });

  test('is removed by force: it loses its interfaces first, then its session', async () => {
    await createNetwork();
    const [agent, other] = [await connect(1), await connect(2)];
    await claim('web', 1);
    await claim('db', 2);
    await cluster.clock.advance(seconds(1));
    for (const each of [agent, other]) each.take();
    const removal = remove({ force: true });
    await cluster.settle();
    expect(agent.take()).toEqual(['host drained=true', 'withdraw blue']);
    expect(agent.closed).toBeUndefined();
    const { id = '' } = manager.view.networkNamed('blue' as never)?.value ?? {};
    agent.say({ oneofKind: 'applied', applied: { networks: [], withdrawnIds: [id] } });
    expect(await removal).toMatchObject({ released: 1, interfacesRemoved: true });
    expect(agent.closed?.error).toMatchObject({ code: 'node-removed' });
    await cluster.clock.advance(seconds(1));
    expect(other.take()).toEqual([expect.stringMatching(/^delta blue .* \+0 -1$/)]);
    expect(await eventsOf('endpoint.orphaned')).toEqual([expect.stringContaining('web')]);
    expect(await eventsOf('node.lost')).toEqual([]);
  });

  test('that does not say that its interfaces are gone is removed all the same', async () => {
    await createNetwork();
    const agent = await connect(1);
    await claim('web', 1);
    agent.appliesAtOnce = false;
    expect(await remove({ force: true })).toMatchObject({ released: 1, interfacesRemoved: false });
    expect(agent.closed?.error?.code).toBe('node-removed');
  });
});

describe('a dead host', () => {
  test('is removed with its endpoints; a new host takes its name, and gets addresses that have cooled', async () => {
    await createNetwork();
    (await connect(1)).hangUp();
    await connect(2);
    const { endpoint } = await claim('web', 1);
    expect(await remove({ force: true })).toMatchObject({ released: 1, interfacesRemoved: false });
    expect(hosts()).toEqual(['h2']);
    const again = new MemoryAgent({ ...scriptNode(9), name: scriptNode(1).name, dataPath: scriptNode(1).dataPath });
    again.hello();
    void manager.accept(again);
    await cluster.settle();
    expect(again.take()[0]).toContain('welcome');
    expect(hosts()).toEqual(['h2', 'h1']);
    const taken = { requestId: uuid(), network: 'blue', name: 'db', nodeId: nodeId(9), labels: {}, endpointId: '' };
    const addresses = [endpoint?.addresses[0]?.split('/')[0] ?? ''];
    const take = () =>
      codeOf(manager.api.endpoint.claimEndpoint({ ...taken, requestId: uuid(), addresses }, cluster.call()));
    expect(await take()).toBe('address-in-use');
    await cluster.clock.advance(seconds(55));
    again.applied();
    expect(await take()).toBe('address-in-use');
    for (let waited = 0; waited < 10; waited++) {
      again.applied();
      await cluster.clock.advance(seconds(1));
    }
    expect(await take()).toBe('no error');
  });

  test('is refused by every manager: its sessions at the leader, its calls everywhere', async () => {
    await createNetwork();
    const { manager: standby } = await cluster.startManager('m2');
    (await connect(1)).hangUp();
    await cluster.settle();
    await remove();
    await cluster.settle();
    expect(await refusals(1)).toEqual(['node-removed', 'node-removed', 'node-removed', 'node-removed']);
    expect((await refusals(1, standby)).slice(0, 3)).toEqual(['node-removed', 'node-removed', 'node-removed']);
    await cluster.answer(manager.stop());
    await cluster.clock.advance(seconds(5));
    expect((await refusals(1, standby)).at(-1)).toBe('node-removed');
  });
});

describe('a removal', () => {
  test('that is sent again has the same answer, also if there is a new host of that name', async () => {
    await createNetwork();
    (await connect(1)).hangUp();
    await claim('web', 1);
    const requestId = uuid();
    const first = await remove({ requestId, force: true });
    const again = new MemoryAgent({ ...scriptNode(9), name: scriptNode(1).name });
    again.hello();
    void manager.accept(again);
    await cluster.settle();
    expect(await remove({ requestId, force: true })).toEqual(first);
    expect(again.closed).toBeUndefined();
    expect(manager.view.findNode('h1').value.drained).toBeUndefined();
  });

  test('whose leader dies is ended by the next leader, which got the call again', async () => {
    await createNetwork();
    (await connect(1)).hangUp();
    await claim('web', 1);
    const { manager: next } = await cluster.startManager('m2');
    const call = { requestId: uuid(), node: 'h1', force: true };
    cluster.storeOf(manager).setReachable(false);
    const lost = codeOf(manager.api.node.removeNode(call, cluster.call(seconds(3))));
    await cluster.clock.advance(seconds(20));
    expect(await lost).not.toBe('no error');
    expect(await remove(call, next)).toMatchObject({ released: 1 });
    expect([...next.view.nodes.keys()]).toEqual([]);
    expect(next.view.endpointCount).toBe(0);
  });
});
