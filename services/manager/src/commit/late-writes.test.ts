import { seconds } from '@causeway/runtime';
import { describe, expect, test } from 'vitest';
import { createNetwork } from '../plan/create-network.ts';
import { releaseEndpoint } from '../plan/release-endpoint.ts';
import { updateNetwork } from '../plan/update-network.ts';
import { plainNetwork } from '../testing/plain-network.ts';
import {
  backend,
  claim,
  clock,
  leader,
  log,
  makeLate,
  network,
  node,
  requestId,
  standby,
  write,
} from '../testing/writer-fixture.ts';

describe('Writer', () => {
  test('a lost reply: the outcome is looked up, nothing is taken twice', async () => {
    await write(leader, requestId(), network('blue'));
    let lost = 0;
    leader.store.fault = (operation) => (operation === 'txn' && lost++ === 0 ? 'lost-reply' : 'none');
    const { reply } = await clock.until(write(leader, requestId(), claim('web')), seconds(30));
    expect(leader.view.findEndpoint('web').value).toEqual(reply);
    expect(log.lines.map(({ event }) => event)).toContain('writer.outcome-unknown');
    expect((await write(leader, requestId(), claim('db'))).reply.addresses).toEqual(['10.66.0.3/16']);
  });

  test('a lost request: it is done after all', async () => {
    let lost = 0;
    leader.store.fault = (operation) => (operation === 'txn' && lost++ === 0 ? 'lost-request' : 'none');
    const { reply } = await clock.until(write(leader, requestId(), network('blue')), seconds(30));
    expect(leader.view.findNetwork('blue').value).toEqual(reply);
  });

  test('a store that does not answer: the outcome is unknown, and a later call with the same request id returns it', async () => {
    const id = requestId();
    backend.freeze();
    const attempt = clock.until(write(leader, id, network('blue')), seconds(60));
    await expect(attempt).rejects.toMatchObject({ kind: 'unavailable' });
    backend.unfreeze();
    await clock.advance(seconds(10));
    const now = [leader, standby].find(({ elector }) => elector.leadership.role === 'leader') ?? expect.fail();
    const { reply } = await clock.until(write(now, id, network('blue')), seconds(10));
    expect(now.view.findNetwork('blue').value).toEqual(reply);
    expect(now.view.networks.size).toBe(1);
  });

  test('a store that refuses: nothing was written, and it says so', async () => {
    leader.store.fault = () => 'refused';
    await expect(write(leader, requestId(), network('blue'))).rejects.toMatchObject({
      code: 'store-unavailable',
    });
    leader.store.fault = () => 'none';
    await write(leader, requestId(), network('blue'));
  });

  test.each([
    { name: 'what another has by now', addresses: ['10.66.0.9'] },
    { name: 'no address', addresses: [] },
  ])('a leader paused in the middle of a write is fenced: it wants $name', async ({ addresses }) => {
    await write(leader, requestId(), network('blue'));
    leader.pause();
    const refused = expect(write(leader, requestId(), claim('stale', addresses))).rejects.toMatchObject({
      code: 'not-leader',
    });
    await clock.advance(seconds(10));
    const { reply } = await write(standby, requestId(), claim('web', ['10.66.0.9']));
    leader.resume();
    await clock.advance(seconds(1));
    await refused;
    expect(standby.view.endpointCount).toBe(1);
    expect(standby.view.findEndpoint('web').value).toEqual(reply);
  });

  test('a former leader that does not know of its successor refuses no call from its old view', async () => {
    await write(leader, requestId(), network('green', '10.67.0.0/16'));
    leader.pause();
    await clock.advance(seconds(10));
    await write(standby, requestId(), network('blue'));
    const call = write(leader, requestId(), claim('web'));
    const refused = expect(call).rejects.toMatchObject({ code: 'not-leader' });
    leader.resume();
    await clock.advance(seconds(1));
    await refused;
  });

  test('a refusal is final, also for a transaction that arrives after it', async () => {
    const id = requestId();
    await write(leader, requestId(), network('blue'));
    await makeLate(write(leader, id, claim('web')), seconds(60));
    const other = await write(leader, requestId(), claim('web'));
    await expect(write(leader, id, claim('web'))).rejects.toMatchObject({ code: 'name-taken' });
    await write(leader, requestId(), releaseEndpoint({ endpoint: other.reply.id, node: node.id, reason: 'asked' }));
    await clock.advance(seconds(60));
    expect(leader.view.endpointCount).toBe(0);
    await expect(write(leader, id, claim('web'))).rejects.toMatchObject({ code: 'name-taken' });
  });

  test('a refusal is final, also for a copy of the call that arrives after it', async () => {
    const id = requestId();
    const retry = { actor: 'tester', isRetry: true };
    await write(leader, requestId(), network('blue'));
    const other = await write(leader, requestId(), claim('web'));
    await expect(leader.writer.write(id, claim('web'), retry)).rejects.toMatchObject({ code: 'name-taken' });
    await write(leader, requestId(), releaseEndpoint({ endpoint: other.reply.id, node: node.id, reason: 'asked' }));
    await expect(write(leader, id, claim('web'))).rejects.toMatchObject({ code: 'name-taken' });
    expect(leader.view.endpointCount).toBe(0);
  });

  test('what was true already is not made true again by a copy of the call that arrives after its answer', async () => {
    const id = requestId();
    const nothing = { removeLabels: [], addSubnets: [], gateways: 'none', removeSubnets: [], addRanges: [] } as const;
    const label = (team: string) => updateNetwork({ ...nothing, network: 'blue', setLabels: { team } });
    const team = () => leader.view.findNetwork('blue').value.labels['team'];
    await write(leader, requestId(), network('blue'));
    const { revision } = await write(leader, requestId(), label('core'));
    const retry = { actor: 'tester', isRetry: true };
    expect((await leader.writer.write(id, label('core'), retry)).revision).toBe(revision);
    await write(leader, requestId(), label('edge'));
    await write(leader, id, label('core'));
    expect(team()).toBe('edge');
  });

  test('a network that arrives late overlaps none that was made meanwhile', async () => {
    const late = createNetwork(plainNetwork('late', ['10.66.0.0/24'], { vni: 5000 }));
    await makeLate(write(leader, requestId(), late), seconds(60));
    await write(leader, requestId(), network('blue'));
    await clock.advance(seconds(60));
    expect([...leader.view.networks.values()].map(({ value }) => value.name)).toEqual(['blue']);
  });
});
