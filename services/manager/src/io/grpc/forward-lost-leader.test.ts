import { ListEndpointsRequest } from '@causeway/proto/gen/causeway/v1/endpoint_service.js';
import { ListNetworksRequest } from '@causeway/proto/gen/causeway/v1/network_service.js';
import { ListNodesRequest } from '@causeway/proto/gen/causeway/v1/node_service.js';
import { callUnary } from '@causeway/proto/io';
import { describe, expect, test } from 'vitest';
import {
  believe,
  clients,
  create,
  failure,
  follows,
  freeAddress,
  leads,
  limits,
  pair,
  run,
  scriptedLeader,
  stoppedLeader,
  uuid,
} from '../../testing/forward-fixture.ts';

describe('reads while no leader answers', () => {
  const readers = (address: string) => {
    const { networks, endpoints, nodes } = clients(address);
    const remarks: string[] = [];
    const with_ = { timeout: 10_000, onRemark: (remark: string) => void remarks.push(remark) };
    return {
      remarks,
      networks: () => callUnary(networks.listNetworks.bind(networks), ListNetworksRequest.create(), with_),
      endpoints: () => callUnary(endpoints.listEndpoints.bind(endpoints), ListEndpointsRequest.create(), with_),
      nodes: () => callUnary(nodes.listNodes.bind(nodes), ListNodesRequest.create(), with_),
    };
  };

  test('a follower answers by itself and says so, whether the leader refuses connections or says nothing', async () => {
    const [leader, follower] = await pair();
    await create(leader.address, 'one', '10.1.0.0/16');
    await leader.stop();
    await leads(follower.manager);
    for (const address of [await freeAddress(), await stoppedLeader()]) {
      const third = await run(`m-${address.split(':')[1]}`);
      await believe(address);
      await follows(third.manager, address);
      const read = readers(third.address);
      expect((await read.networks()).networks).toMatchObject([
        { name: 'one', conditions: expect.arrayContaining([expect.objectContaining({ reason: 'NoLeader' })]) },
      ]);
      await read.endpoints();
      await read.nodes();
      const remark = `answers from its own state only: the leader at ${address} does not answer, so the state of the hosts is unknown`;
      expect(read.remarks).toEqual(Array.from({ length: 3 }, () => expect.stringContaining(remark)));
      await third.stop();
    }
  });

  test('a leader that answers is preferred, and remarks nothing', async () => {
    const [, follower] = await pair();
    const read = readers(follower.address);
    await read.networks();
    expect(read.remarks).toEqual([]);
  });

  test('what the leader refuses is refused', async () => {
    const [, follower] = await pair();
    const { networks } = clients(follower.address);
    const request = { network: 'none', atLeast: 0n };
    await expect(callUnary(networks.getNetwork.bind(networks), request, limits)).rejects.toMatchObject({
      code: 'network-unknown',
    });
  });
});

describe('when the leader goes', () => {
  test('no process at its address: unavailable, long before the deadline', async () => {
    await believe(await freeAddress());
    const follower = await run('m2');
    const error = await failure(create(follower.address, 'x', '10.6.0.0/16', uuid(), 60_000));
    expect(error).toMatchObject({ code: 'manager-unavailable' });
    expect((error as Error).message).toMatch(
      /^the leader at \S+ cannot be reached \(connect ECONNREFUSED \S+\): try again$/,
    );
  });

  test('it does not answer: the deadline ends the call there too', async () => {
    let ended: Promise<void> | undefined;
    const leader = await scriptedLeader((call) => {
      ended = new Promise((resolve) => call.once('cancelled', resolve));
    });
    await believe(leader);
    const follower = await run('m2');
    await expect(create(follower.address, 'x', '10.6.0.0/16', uuid(), 1_000)).rejects.toMatchObject({
      code: 'timed-out',
    });
    expect(ended).toBeDefined();
    await ended;
  });

  test('another is elected meanwhile: the caller hears of it at once', async () => {
    let asked = (): void => undefined;
    const arrived = new Promise<void>((resolve) => {
      asked = resolve;
    });
    await believe(await scriptedLeader(() => asked()));
    const follower = await run('m2');
    const error = failure(create(follower.address, 'x', '10.6.0.0/16', uuid(), 60_000));
    await arrived;
    await believe('127.0.0.1:9');
    expect(await error).toMatchObject({ code: 'not-leader', data: { leader: '127.0.0.1:9' } });
  });

  test('the follower stops: the error says to ask another manager', async () => {
    let asked = (): void => undefined;
    const arrived = new Promise<void>((resolve) => {
      asked = resolve;
    });
    await believe(await scriptedLeader(() => asked()));
    const follower = await run('m2');
    const error = failure(create(follower.address, 'x', '10.6.0.0/16', uuid(), 60_000));
    await arrived;
    await follower.stop();
    expect(await error).toMatchObject({ code: 'shutting-down' });
  });

  test('after the election the same request id has one effect', async () => {
    const [leader, follower] = await pair();
    const third = await run('m3');
    const id = uuid();
    const before = await create(third.address, 'kept', '10.7.0.0/16', id);
    await leader.stop();
    await Promise.race([leads(follower.manager), leads(third.manager)]);
    const [next, last] = follower.manager.isLeader ? [follower, third] : [third, follower];
    await follows(last.manager, next.address);
    const after = await create(last.address, 'kept', '10.7.0.0/16', id);
    expect(after.network?.id).toBe(before.network?.id);
    expect(next.manager.view.networks.size).toBe(1);
  });
});
