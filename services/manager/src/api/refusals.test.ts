import { CausewayError } from '@causeway/model';
import { WatchEventsRequest } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { minutes, seconds } from '@causeway/runtime';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Manager } from '../manager.ts';
import { callContext } from '../testing/call-context.ts';
import { MemoryCluster } from '../testing/memory-cluster.ts';

let cluster: MemoryCluster;
let leader: Manager;
let follower: Manager;

beforeEach(async () => {
  cluster = new MemoryCluster();
  leader = (await cluster.startManager('m1')).manager;
  follower = (await cluster.startManager('m2')).manager;
});
afterEach(() => cluster.stop());

const refusal = new CausewayError('permission-denied', 'agent/a1 may not call it');
const refuse = (at: Manager, method = 'NodeService/DrainNode'): void =>
  at.refused({ subject: 'agent/a1', method, object: 'host/h2' }, refusal);

/** The events of refusals that the leader has. */
async function recorded(): Promise<readonly string[]> {
  await cluster.clock.advance(seconds(2));
  const all: string[] = [];
  const read = async (): Promise<void> => {
    for await (const { event } of leader.api.cluster.watchEvents(WatchEventsRequest.create({}), cluster.call()))
      if (event?.kind === 'call.refused')
        all.push(`${event.subject} ${event.refusal} ${event.object} ${event.count}: ${event.message}`);
  };
  await cluster.answer(read());
  return all;
}

const text = 'agent/a1 was refused NodeService/DrainNode of host/h2:';

test('what a follower refuses of which object is in the events, with the name of the follower', async () => {
  refuse(leader);
  refuse(follower);
  expect(await recorded()).toEqual([
    `agent/a1 PERMISSION_DENIED host/h2 1: ${text} agent/a1 may not call it`,
    `agent/a1 PERMISSION_DENIED host/h2 1: ${text} agent/a1 may not call it (by manager/m2)`,
  ]);
});

test('a flood at a follower makes few events', async () => {
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 1_000; j++) refuse(follower);
    await cluster.clock.advance(seconds(15));
  }
  expect(await recorded()).toEqual([
    expect.stringMatching(/^agent\/a1 PERMISSION_DENIED host\/h2 1000: .* 1000 times/),
  ]);
  await cluster.clock.advance(minutes(1));
  expect((await recorded())[1]).toMatch(
    /^agent\/a1 PERMISSION_DENIED host\/h2 2000: .* 2000 times.* \(by manager\/m2\)$/,
  );
});

test('when the leader does not answer, the refusal is in the log of the follower only', async () => {
  cluster.unreachable('m1', 'silent');
  refuse(follower);
  expect(await recorded()).toEqual([]);
  await cluster.clock.advance(seconds(5));
  const events = cluster.log.lines.map(({ event }) => event);
  expect(events).toContain('call.refused');
});

describe('a manager that reports', () => {
  const entry = {
    subject: 'agent/a1',
    method: 'NodeService/DrainNode',
    object: '',
    code: 'BUSY',
    count: 1,
    message: 'no',
  };
  const report = (count: number): Promise<unknown> =>
    cluster.answer(
      leader.api.cluster.reportRefusals(
        { refusals: Array.from({ length: count }, () => entry) },
        callContext({ peer: { kind: 'manager', name: 'm3' } }),
      ),
    );

  test('too much at once is refused', async () => {
    await expect(report(21)).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  test('too often is refused', async () => {
    for (let i = 0; i < 20; i++) await report(1);
    await expect(report(1)).rejects.toMatchObject({ code: 'busy' });
  });
});
