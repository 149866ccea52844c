import { CausewayError } from '@causeway/model';
import { milliseconds, minutes, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import type { StoreMemberStatus } from '../../store/store.ts';
import { StoreMonitor } from './store-monitor.ts';

const member = (alarms: StoreMemberStatus['alarms'] = []): StoreMemberStatus => ({
  ...{ id: '1', name: 'm1', peerUrls: [], clientUrls: [], learner: false, healthy: true, leader: true },
  ...{ size: 0, sizeInUse: 0, revision: 1n, lag: 0n, alarms },
});

/** A store whose members answer after half a second. */
function setUp() {
  const clock = new FakeClock();
  const found: (readonly StoreMemberStatus[])[] = [];
  const world = { asked: 0, alarms: [] as StoreMemberStatus['alarms'], isReachable: true };
  const acted: string[] = [];
  const store = {
    members: async () => {
      world.asked++;
      await clock.sleep(milliseconds(500));
      if (!world.isReachable) throw new CausewayError('store-unavailable', 'no connection');
      return [member(world.alarms)];
    },
  };
  const act = async (members: readonly StoreMemberStatus[]): Promise<boolean> => {
    acted.push(members.flatMap(({ alarms }) => alarms).join());
    return true;
  };
  const view = { revision: 1n, leader: undefined };
  const monitor = new StoreMonitor(
    { store, view, maintenance: () => ({ act }), found: (each) => found.push(each), clock, log: new MemoryLog() },
    { history: minutes(60) },
  );
  return { clock, found, world, acted, monitor };
}

test('callers at the same moment share one look; a later caller gets a look of its own', async () => {
  const { clock, world, found, monitor } = setUp();
  const first = [monitor.look(), monitor.look()];
  await clock.advance(milliseconds(99));
  first.push(monitor.look());
  await clock.advance(milliseconds(1));
  const second = monitor.look();
  await clock.advance(milliseconds(400));
  const answers = await Promise.all(first);
  expect([world.asked, answers.length, new Set(answers).size]).toEqual([2, 3, 1]);
  const third = monitor.look(); // the first look is over, and the second began too long ago
  await clock.advance(seconds(1));
  await Promise.all([second, third]);
  expect([world.asked, found.length]).toEqual([3, 3]);
});

test('a failed survey fails for all callers that share it, and not for later callers', async () => {
  const { clock, world, found, monitor } = setUp();
  world.isReachable = false;
  const looks = Promise.allSettled([monitor.look(), monitor.look()]);
  await clock.advance(milliseconds(500));
  expect((await looks).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  world.isReachable = true;
  const next = monitor.look();
  await clock.advance(milliseconds(500));
  expect(await next).toEqual([member()]);
  expect(found).toHaveLength(1);
});

test('it looks every few seconds by itself, less often while others ask', async () => {
  const { clock, world, found, monitor } = setUp();
  await monitor.start();
  await clock.advance(minutes(1));
  const alone = world.asked;
  expect(alone).toBe(6);
  for (let second = 0; second < 60; second++) {
    void monitor.look();
    await clock.advance(seconds(1));
  }
  expect(world.asked - alone).toBe(60);
  await clock.until(monitor.stop(), seconds(1));
  const before = found.length;
  const last = monitor.look();
  await clock.advance(seconds(1));
  await last;
  expect(found).toHaveLength(before);
});

test('those who ask all the time hide no full store', async () => {
  const { clock, world, acted, monitor } = setUp();
  await monitor.start();
  await clock.advance(seconds(1));
  world.alarms = ['NOSPACE'];
  for (let second = 0; second < 30; second++) {
    void monitor.look();
    await clock.advance(seconds(1));
  }
  await clock.until(monitor.stop(), seconds(1));
  expect(acted).toContain('NOSPACE');
});
