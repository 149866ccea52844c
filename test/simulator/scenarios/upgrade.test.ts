import { callContext } from '@causeway/manager/testing';
import type { GetStatusResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { CreateNetworkRequest, ListNetworksRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { Subnet } from '@causeway/proto/gen/causeway/v1/types.js';
import { seconds } from '@causeway/runtime';
import { describe, expect, it } from 'vitest';
import { SimCluster } from '../src/cluster.ts';

// Managers of two versions side by side: the older version knows schema 1 of the records, the newer one schema 2.
const older = 1;
const newer = 2;

async function cluster(): Promise<SimCluster> {
  const made = new SimCluster({ hosts: 1, managers: 3 });
  await made.start();
  return made;
}

async function upgrade(made: SimCluster, name: string): Promise<void> {
  await made.stopManager(name);
  await made.startManager(name, newer);
}

const status = (made: SimCluster): Promise<GetStatusResponse> =>
  made.ask((api, call) => api.cluster.getStatus({}, call));

async function states(made: SimCluster): Promise<Record<string, string>> {
  const { managers } = await status(made);
  return Object.fromEntries(managers.map(({ name, state }) => [name, state]));
}

describe('a rolling upgrade', () => {
  it('keeps the older schema until the last manager is replaced, whichever manager leads, and accepts writes all the time', async () => {
    const made = await cluster();
    for (const [i, name] of ['m1', 'm2', 'm3'].entries()) {
      await upgrade(made, name);
      await made.createNetwork(`n${i}`, `10.${i}.0.0/16`);
      await made.until('one leads', () => made.leaders.length === 1);
      if (name !== 'm3') expect((await status(made)).schema).toBe(older);
    }
    await made.until('the schema is the newer one', async () => (await status(made)).schema === newer);
    await made.createNetwork('after', '10.9.0.0/16');
    expect((await status(made)).networks).toBe(4);
    await made.stop();
  });

  it('a manager that comes back too old reads, and neither writes nor leads', async () => {
    const made = await cluster();
    for (const name of ['m1', 'm2', 'm3']) await upgrade(made, name);
    await made.createNetwork('blue', '10.1.0.0/16');
    await made.until('the schema is the newer one', async () => (await status(made)).schema === newer);
    await made.stopManager('m3');
    await made.startManager('m3', older);
    await made.until('m3 says so', async () => (await states(made))['m3'] === 'outdated');

    for (const name of ['m1', 'm2']) await made.stopManager(name);
    await made.advance(seconds(30));
    expect(made.leaders).toEqual([]);
    const { api } = made.manager('m3');
    const call = callContext({ actor: 'operator' });
    const { networks } = await made.run(api.network.listNetworks(ListNetworksRequest.create(), call));
    expect(networks.map(({ name }) => name)).toEqual(['blue']);
    const requestId = '00000000-0000-4000-8000-000000000001';
    const subnets = [Subnet.create({ prefix: '10.2.0.0/16' })];
    const refused = api.network.createNetwork(CreateNetworkRequest.create({ requestId, name: 'red', subnets }), call);
    await expect(made.run(refused)).rejects.toMatchObject({
      code: 'not-leader',
      message: expect.stringContaining(
        'the store has records of schema 2, and this manager knows 1; start a newer version',
      ),
    });
    expect(made.log.lines.some(({ event }) => event === 'manager.outdated')).toBe(true);

    await made.startManager('m1', newer);
    await made.until('the newer one leads', () => made.leaders.join() === 'm1');
    await made.createNetwork('red', '10.2.0.0/16');
    await made.stop();
  });

  it('a leader steps down when the records become too new for it', async () => {
    const made = new SimCluster({ hosts: 0, managers: 1 });
    await made.start();
    await made.startManager('m2', newer);
    expect(made.leaders).toEqual(['m1']);
    const store = made.store('m2');
    const { kv } = await store.get('/causeway/v1/meta');
    const meta = JSON.parse(new TextDecoder().decode(kv?.value)) as object;
    const value = new TextEncoder().encode(JSON.stringify({ ...meta, schema: newer }));
    await store.txn([], [{ kind: 'put', key: '/causeway/v1/meta', value }]);
    await made.until('the newer one leads', () => made.leaders.join() === 'm2');
    await made.stop();
  });
});
