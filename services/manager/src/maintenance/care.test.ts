import { CausewayError } from '@causeway/model';
import { minutes, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import type { StoreAlarm, StoreMemberStatus } from '../store/store.ts';
import type { LeaderRecord } from '../store/view.ts';
import { Care } from './care.ts';
import type { Maintenance } from './maintenance.ts';

/** A store of two members that says what was done to it. */
class FakeStore implements Maintenance {
  readonly done: string[] = [];
  alarms: StoreAlarm[] = [];
  reachable = true;
  /** Free bytes of each member, given back by defragmentation. */
  free = 0;

  async members(): Promise<readonly StoreMemberStatus[]> {
    if (!this.reachable) throw new CausewayError('store-unavailable', 'no connection');
    return ['m1', 'm2'].map((name, index) => ({
      ...{ id: name, name, peerUrls: [], clientUrls: [], learner: false, healthy: true, leader: index === 0 },
      ...{ size: 1_000_000 + this.free, sizeInUse: 1_000_000, revision: 1n, lag: 0n, alarms: this.alarms },
    }));
  }

  async compact(revision: bigint): Promise<void> {
    this.done.push(`compact ${revision}`);
    if (this.alarms.length > 0) this.free = 900_000;
  }

  async defragment({ name }: { name: string }): Promise<void> {
    this.done.push(`defragment ${name}`);
  }

  async disarm(alarm: string): Promise<void> {
    this.done.push(`disarm ${alarm}`);
    this.alarms = [];
  }

  async *snapshot(): AsyncGenerator<Uint8Array> {}
}

function setUp() {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const maintenance = new FakeStore();
  const view: { revision: bigint; leader: LeaderRecord | undefined } = { revision: 10n, leader: undefined };
  const role = { leads: true };
  const care = new Care({ maintenance, view, leads: () => role.leads, clock, log }, { history: minutes(60) });
  return { clock, log, maintenance, view, role, care };
}

const other = { name: 'm2', address: 'h2:7443', since: 0, term: 5n };

test('the leader keeps an hour', async () => {
  const { clock, maintenance, view, care } = setUp();
  await care.start();
  for (let minute = 0; minute < 62; minute++) {
    await clock.advance(minutes(1));
    view.revision += 10n;
  }
  await care.stop();
  expect(maintenance.done[0]).toBe('compact 10');
  expect(maintenance.done.every((step) => step.startsWith('compact'))).toBe(true);
});

test('a new leader knows the hour in which another led', async () => {
  const { clock, maintenance, view, role, care } = setUp();
  role.leads = false;
  view.leader = other;
  await care.start();
  await clock.advance(minutes(65));
  expect(maintenance.done).toEqual([]);
  role.leads = true;
  await clock.advance(seconds(10));
  await care.stop();
  expect(maintenance.done).toEqual(['compact 10']);
});

test('a full store: room is made, one member at a time, and the alarm goes without a restart', async () => {
  const { clock, log, maintenance, care } = setUp();
  maintenance.alarms = ['NOSPACE'];
  await care.start();
  await clock.advance(seconds(30));
  await care.stop();
  expect(maintenance.done).toEqual(['compact 10', 'defragment m2', 'defragment m1', 'disarm NOSPACE']);
  expect(log.lines.map(({ event }) => event)).toContain('store-alarms');
  expect(log.lines.at(-1)?.event).toBe('store-alarms-gone');
});

test('a full store in which nobody can be elected is everybody’s', async () => {
  const { clock, maintenance, role, care } = setUp();
  role.leads = false;
  maintenance.alarms = ['NOSPACE'];
  await care.start();
  await clock.advance(seconds(30));
  await care.stop();
  expect(maintenance.done.at(-1)).toBe('disarm NOSPACE');
});

test('a full store is the leader’s alone while somebody leads', async () => {
  const { clock, maintenance, view, role, care } = setUp();
  role.leads = false;
  view.leader = other;
  maintenance.alarms = ['NOSPACE'];
  await care.start();
  await clock.advance(seconds(30));
  await care.stop();
  expect(maintenance.done).toEqual([]);
});

test('survives a store that is away', async () => {
  const { clock, maintenance, care } = setUp();
  maintenance.reachable = false;
  await care.start();
  await clock.advance(seconds(30));
  maintenance.reachable = true;
  maintenance.alarms = ['NOSPACE'];
  await clock.advance(seconds(30));
  await care.stop();
  expect(maintenance.done.at(-1)).toBe('disarm NOSPACE');
});
