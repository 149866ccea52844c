import { CausewayError } from '@causeway/model';
import { minutes, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import type { Maintenance } from '../cluster/maintenance/maintenance.ts';
import { StoreMonitor } from '../cluster/maintenance/store-monitor.ts';
import type { StoreAlarm, StoreMemberStatus } from '../store/store.ts';
import type { LeaderRecord } from '../store/view.ts';
import { StoreMaintenance } from './store-maintenance.ts';

/** A store with two members that records all operations. */
class FakeStore implements Maintenance {
  readonly done: string[] = [];
  alarms: StoreAlarm[] = [];
  reachable = true;
  /** How long a member takes to defragment. */
  defragmentTakes = (): Promise<void> => Promise.resolve();
  /** Free bytes of each member. Defragmentation gives them back. */
  free = 0;

  async members(): Promise<readonly StoreMemberStatus[]> {
    if (!this.reachable) throw new CausewayError('store-unavailable', 'no connection');
    return ['m1', 'm2'].map((name, index) => ({
      ...{ id: name, name, peerUrls: [], clientUrls: [], learner: false, healthy: true, leader: index === 0 },
      ...{
        size: 1_000_000 + this.free,
        sizeInUse: 1_000_000,
        revision: 1n,
        lag: 0n,
        alarms: index === 0 ? this.alarms : [],
      },
    }));
  }

  async compact(revision: bigint): Promise<void> {
    this.done.push(`compact ${revision}`);
    if (this.alarms.length > 0) this.free = 900_000;
  }

  async defragment({ name }: { name: string }): Promise<void> {
    await this.defragmentTakes();
    this.done.push(`defragment ${name}`);
  }

  async disarm(alarm: string): Promise<void> {
    this.done.push(`disarm ${alarm}`);
    this.alarms = [];
  }

  async *snapshot(): AsyncGenerator<Uint8Array> {}
}

/** The parts of a manager: one monitor for its whole life, and a new maintenance for each term. */
function setUp() {
  const clock = new FakeClock();
  const log = new MemoryLog();
  const maintenance = new FakeStore();
  const view: { revision: bigint; leader: LeaderRecord | undefined } = { revision: 10n, leader: undefined };
  const history = { history: minutes(60) };
  const parts = { store: maintenance, maintenance, view, clock, log };
  const care = (): StoreMaintenance => new StoreMaintenance({ ...parts, monitor }, history);
  const monitor = new StoreMonitor({ ...parts, maintenance: care }, history);
  const lead = (): AbortController => {
    view.leader = self;
    const end = new AbortController();
    void care().run({ signal: end.signal });
    return end;
  };
  return { clock, log, maintenance, view, monitor, lead };
}

const self = { name: 'm1', address: 'h1:7443', since: 0, term: 4n };
const other = { name: 'm2', address: 'h2:7443', since: 0, term: 5n };

test('the leader keeps an hour', async () => {
  const { clock, maintenance, view, monitor, lead } = setUp();
  await monitor.start();
  const term = lead();
  for (let minute = 0; minute < 62; minute++) {
    await clock.advance(minutes(1));
    view.revision += 10n;
  }
  term.abort();
  await monitor.stop();
  expect(clock.sleeping).toBe(0);
  expect(maintenance.done[0]).toBe('compact 10');
  expect(maintenance.done.every((step) => step.startsWith('compact'))).toBe(true);
});

test('a new leader knows the hour in which another led', async () => {
  const { clock, maintenance, view, monitor, lead } = setUp();
  view.leader = other;
  await monitor.start();
  await clock.advance(minutes(65));
  expect(maintenance.done).toEqual([]);
  const term = lead();
  await clock.advance(seconds(10));
  term.abort();
  await monitor.stop();
  expect(maintenance.done).toEqual(['compact 10']);
});

test('a full store: room is made, one member at a time, and the alarm goes without a restart', async () => {
  const { clock, log, maintenance, monitor, lead } = setUp();
  maintenance.alarms = ['NOSPACE'];
  const term = lead();
  await monitor.start();
  await clock.advance(seconds(30));
  term.abort();
  await monitor.stop();
  expect(maintenance.done).toEqual(['compact 10', 'defragment m2', 'defragment m1', 'disarm NOSPACE']);
  expect(log.lines.map(({ event }) => event)).toContain('store.alarms-raised');
  expect(log.lines.at(-1)?.event).toBe('store.alarms-cleared');
});

test('room is made to the end, however long each member takes', async () => {
  const { clock, maintenance, lead } = setUp();
  maintenance.alarms = ['NOSPACE'];
  maintenance.defragmentTakes = () => clock.sleep(minutes(15));
  const term = lead();
  await clock.advance(minutes(32));
  term.abort();
  expect(maintenance.done).toEqual(['compact 10', 'defragment m2', 'defragment m1', 'disarm NOSPACE']);
});

test('a full store in which no manager can be elected is relieved by every manager', async () => {
  const { clock, maintenance, monitor } = setUp();
  maintenance.alarms = ['NOSPACE'];
  await monitor.start();
  await clock.advance(seconds(30));
  await monitor.stop();
  expect(maintenance.done.at(-1)).toBe('disarm NOSPACE');
});

test('a full store is relieved by the leader alone while a manager leads', async () => {
  const { clock, maintenance, view, monitor } = setUp();
  view.leader = other;
  maintenance.alarms = ['NOSPACE'];
  await monitor.start();
  await clock.advance(seconds(30));
  await monitor.stop();
  expect(maintenance.done).toEqual([]);
});

test('survives a store that is away', async () => {
  const { clock, maintenance, monitor, lead } = setUp();
  maintenance.reachable = false;
  const term = lead();
  await monitor.start();
  await clock.advance(seconds(30));
  maintenance.reachable = true;
  maintenance.alarms = ['NOSPACE'];
  await clock.advance(seconds(30));
  term.abort();
  await monitor.stop();
  expect(maintenance.done.at(-1)).toBe('disarm NOSPACE');
});

test('a term that broke off in the middle leaves nothing to the next: room is made from the beginning', async () => {
  const { clock, maintenance, view, monitor, lead } = setUp();
  const defragment = maintenance.defragment.bind(maintenance);
  maintenance.defragment = async (member) => {
    if (view.leader === self) first.abort();
    await defragment(member);
  };
  maintenance.alarms = ['NOSPACE'];
  const first = lead();
  await monitor.start();
  view.leader = self;
  await clock.advance(seconds(2));
  expect(maintenance.done).toEqual(['compact 10', 'defragment m2']);
  maintenance.done.length = 0;
  view.leader = other; // another leader clears the alarm, and later the store is full again
  maintenance.alarms = [];
  await clock.advance(minutes(5));
  maintenance.alarms = ['NOSPACE'];
  maintenance.defragment = defragment;
  const second = lead();
  await clock.advance(seconds(30));
  second.abort();
  await monitor.stop();
  expect(maintenance.done).toEqual(['compact 10', 'defragment m2', 'defragment m1', 'disarm NOSPACE']);
});

test('the members are asked no more often because this manager leads', async () => {
  const { clock, maintenance, monitor, lead } = setUp();
  let asked = 0;
  const members = maintenance.members.bind(maintenance);
  maintenance.members = () => {
    asked++;
    return members();
  };
  await monitor.start();
  const term = lead();
  await clock.advance(minutes(10));
  term.abort();
  await monitor.stop();
  expect(asked).toBeLessThan(70);
});
