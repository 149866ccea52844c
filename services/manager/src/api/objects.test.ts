import type { ErrorCode } from '@causeway/model';
import { errorFromStatus } from '@causeway/proto';
import { WatchEventsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { ListNetworksRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import { fanOutPause } from '../feed/fan-out.ts';
import { claim, cluster, codeOf, connect, createNetwork, manager, removal, uuid } from '../testing/manager-fixture.ts';
import { nodeId } from '../testing/view-script.ts';

describe('one manager', () => {
  test('networks: created, got by name and id, listed, deleted', async () => {
    const blue = await createNetwork();
    await createNetwork('amber', 67);
    expect(blue).toMatchObject({ name: 'blue', mtu: 1450, vni: 4096, addressSpace: 'default' });
    expect(blue.subnets.map((subnet) => subnet.gateway)).toEqual(['10.66.0.1', 'fd66::1']);
    const { network: networks } = manager.api;
    for (const network of ['blue', blue.id])
      expect((await networks.getNetwork({ network, atLeast: 0n }, cluster.call())).network).toEqual({
        ...blue,
        conditions: expect.any(Array),
      });
    const { networks: listed } = await networks.listNetworks(ListNetworksRequest.create(), cluster.call());
    expect(listed.map((network) => network.name)).toEqual(['amber', 'blue']);
    const gone = await cluster.answer(networks.deleteNetwork(removal(), cluster.call()));
    expect(gone.revision).toBeGreaterThan(blue.revision);
    expect(await codeOf(networks.getNetwork({ network: 'blue', atLeast: 0n }, cluster.call()))).toBe('network-unknown');
  });

  test('pages are of one list, whatever is written between them', async () => {
    for (const [i, name] of ['a', 'b', 'c', 'd', 'e'].entries()) await createNetwork(name, 70 + i);
    const { network: networks } = manager.api;
    const page = async (over: Partial<ListNetworksRequest>) => {
      const answer = await networks.listNetworks(ListNetworksRequest.create(over), cluster.call());
      return { ...answer, names: answer.networks.map(({ name }) => name).join('') };
    };
    const fieldSelector = 'name!=b';
    const first = await page({ pageSize: 2, fieldSelector });
    await cluster.answer(networks.deleteNetwork({ ...removal(), network: 'd' }, cluster.call()));
    await createNetwork('ca', 80);
    const second = await page({ pageSize: 2, fieldSelector, pageToken: first.nextPageToken });
    expect([first.names, second.names, second.nextPageToken, second.revision]).toEqual([
      'ac',
      'de',
      '',
      first.revision,
    ]);
    expect((await page({ fieldSelector })).names).toBe('accae');
    expect(await codeOf(page({ pageToken: first.nextPageToken }))).toBe('invalid-argument');
    expect(await codeOf(page({ fieldSelector: 'colour=red' }))).toBe('invalid-argument');
  });

  test('endpoints: claimed with names and who has applied them, listed by host, released', async () => {
    await createNetwork();
    const [one] = [await connect(1), await connect(2)];
    const web = (await claim('web', 1)).endpoint;
    expect(web).toMatchObject({ network: 'blue', host: 'h1', addresses: ['10.66.0.2/16', 'fd66::2/64'] });
    await cluster.settle();
    expect(one?.holds.held.size).toBe(1);
    await claim('db', 2);
    // A network that has changed a moment before sends its next change a moment later.
    await cluster.clock.advance(fanOutPause(2));
    const { endpoint: endpoints } = manager.api;
    const shown = await endpoints.getEndpoint({ endpoint: 'web', atLeast: 0n }, cluster.call());
    expect(shown.endpoint?.applied).toMatchObject({ have: 2, want: 2, waiting: [], unreachable: [] });
    const list = async (host: string): Promise<string[]> =>
      (
        await endpoints.listEndpoints(ListEndpointsRequest.create({ network: 'blue', host }), cluster.call())
      ).endpoints.map((e) => e.name);
    expect([await list(''), await list('h2')]).toEqual([['db', 'web'], ['db']]);
    const release = { requestId: uuid(), endpointId: web?.id ?? '', nodeId: nodeId(1), reason: 0 };
    await cluster.answer(endpoints.releaseEndpoint(release, cluster.call()));
    await cluster.settle();
    expect(one?.take().at(-1)).toBe('withdraw blue');
    expect(await codeOf(endpoints.getEndpoint({ endpoint: 'web', atLeast: 0n }, cluster.call()))).toBe(
      'endpoint-unknown',
    );
  });

  test('addresses: reserved once for one request id, shown, checked, let go', async () => {
    await createNetwork();
    await connect(1);
    await claim('web', 1);
    const { ipam } = manager.api;
    const request = { requestId: uuid(), network: 'blue', address: '', purpose: 'printer' };
    const reserve = () => cluster.answer(ipam.reserveAddress(request, cluster.call()));
    const made = await reserve();
    expect(made.reservation).toMatchObject({ address: '10.66.0.3', purpose: 'printer' });
    expect(await reserve()).toEqual(made);
    const { subnets } = await ipam.showSubnets({ network: 'blue', atLeast: 0n }, cluster.call());
    expect(subnets).toMatchObject([
      { subnet: '10.66.0.0/16', used: '1', reserved: '2', cooling: '0', free: '65531', usedByHost: { h1: 1 } },
      { subnet: 'fd66::/64', used: '1', reserved: '1', cooling: '0', free: '18446744073709551613' },
    ]);
    expect(subnets[0]?.reservations).toEqual([made.reservation]);
    const checked = await cluster.answer(ipam.checkClaims({ repair: true }, cluster.call()));
    expect(checked).toEqual({ duplicates: [], orphans: [], missing: [] });
    const release = { requestId: uuid(), network: 'blue', address: '10.66.0.3' };
    await cluster.answer(ipam.releaseAddress(release, cluster.call()));
    expect(await codeOf(ipam.releaseAddress({ ...release, requestId: uuid() }, cluster.call()))).toBe(
      'reservation-unknown',
    );
  });

  test('the history of an address: who holds it, also by the name of the network', async () => {
    const blue = await createNetwork();
    await connect(1);
    await claim('web', 1);
    const history = async (network: string) =>
      (await cluster.answer(manager.api.ipam.getAddressHistory({ address: '10.66.0.2', network }, cluster.call())))
        .holdings;
    const holding = { address: '10.66.0.2', network: 'blue', endpoint: 'web', host: 'h1', toMs: 0n };
    for (const network of ['', 'blue', blue.id]) expect(await history(network)).toMatchObject([holding]);
  });

  test.each<[attached: number, outcome: ErrorCode | 'no error']>([
    [4, 'no error'],
    [5, 'busy'],
  ])('a network is deleted by force although %i endpoints are attached meanwhile: %s', async (attached, outcome) => {
    await createNetwork();
    await connect(1);
    await claim('e0', 1);
    let more = 0;
    manager.view.subscribe((changes) => {
      const isReleased = changes.some((change) => change.kind === 'endpoint' && change.after === undefined);
      if (!isReleased || more === attached) return;
      more++;
      const request = { requestId: uuid(), network: 'blue', name: `e${more}`, nodeId: nodeId(1) };
      const full = { ...request, addresses: [], labels: {}, endpointId: '' };
      void manager.api.endpoint.claimEndpoint(full, cluster.call()).catch(() => undefined);
    });
    const request = { ...removal(), force: true };
    expect(await codeOf(manager.api.network.deleteNetwork(request, cluster.call()))).toBe(outcome);
    expect(more).toBe(attached);
  });

  test('a network is deleted by force although the call was sent before, to a leader that did not answer', async () => {
    await createNetwork();
    await connect(1);
    await claim('web', 1);
    const request = { ...removal(), force: true };
    const again = { ...cluster.call(), isRetry: true };
    expect(await codeOf(manager.api.network.deleteNetwork(request, again))).toBe('no error');
    expect(manager.view.networks.size).toBe(0);
  });

  test('the claims of one call are independent, and answered in their order', async () => {
    await createNetwork();
    await connect(1);
    const draft = { network: 'blue', nodeId: nodeId(1), addresses: [], labels: {}, endpointId: '' };
    const claims = ['web', 'db', 'web', '-'].map((name) => ({ ...draft, requestId: uuid(), name }));
    const { endpoint: endpoints } = manager.api;
    const answer = await cluster.answer(endpoints.claimEndpoints({ claims }, cluster.call()));
    const outcomes = answer.outcomes.map(({ outcome }) =>
      outcome.oneofKind === 'refused' ? errorFromStatus(outcome.refused).code : outcome.oneofKind,
    );
    expect(outcomes).toEqual(['endpoint', 'endpoint', 'name-taken', 'name-invalid']);
    expect(answer.epoch).toBe(1n);
    const again = await cluster.answer(endpoints.claimEndpoints({ claims: claims.slice(1, 2) }, cluster.call()));
    expect(again.outcomes[0]).toEqual(answer.outcomes[1]);
    const many = Array.from({ length: 257 }, (_, i) => ({ ...draft, requestId: uuid(), name: `e${i}` }));
    expect(await codeOf(endpoints.claimEndpoints({ claims: many }, cluster.call()))).toBe('invalid-argument');
  });

  test('events report everything that happened, in order', async () => {
    await createNetwork();
    const agent = await connect(1);
    const { endpoint } = await claim('web', 1);
    const release = { requestId: uuid(), endpointId: endpoint?.id ?? '', nodeId: nodeId(1), reason: 0 };
    await cluster.answer(manager.api.endpoint.releaseEndpoint(release, cluster.call()));
    agent.hangUp();
    await cluster.clock.advance(seconds(1));
    const kinds: string[] = [];
    const unknown = WatchEventsRequest.create({ kinds: ['network.created', 'network.made'] });
    await expect(manager.api.cluster.watchEvents(unknown, cluster.call()).next()).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('no event kind "network.made"; the kinds are network.created'),
    });
    const watch = manager.api.cluster.watchEvents(WatchEventsRequest.create(), cluster.call());
    for await (const { event } of watch) kinds.push(event?.kind ?? '');
    expect(kinds).toEqual([
      'network.created',
      'node.joined',
      'endpoint.attached',
      'endpoint.detached',
      'leader.changed', // events that no write has caused are written together, a moment later
      'node.ready',
      'node.lost',
    ]);
  });
});
