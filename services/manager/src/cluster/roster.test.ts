import { CausewayError, type Name, type RequestId } from '@causeway/model';
import type { DescribeManagerResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { managerMessage } from '../api/managers.ts';
import { RequestLeases } from '../commit/request-leases.ts';
import { MemoryStore } from '../store/memory.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { records } from '../store/records/index.ts';
import { CoreManager } from '../testing/core-manager.ts';
import { forgetManager } from './membership/forget-manager.ts';
import { RemovalRecord } from './membership/removal-record.ts';
import type { Peers } from './peers.ts';
import { Registration } from './registration.ts';
import { Roster } from './roster.ts';

const m2 = 'm2' as Name;
const id = '3b241101-e2bb-4255-8caf-4136c566a962' as RequestId;
let clock: FakeClock;
let backend: MemoryBackend;
let store: MemoryStore;
let leader: CoreManager;

beforeEach(async () => {
  clock = new FakeClock();
  backend = new MemoryBackend({ clock });
  store = new MemoryStore({ clock, backend });
  const parts = { clock, backend, random: new SeededRandom(3), log: new MemoryLog() };
  leader = new CoreManager(parts, { name: 'm1', ttl: seconds(3) });
  await leader.start();
  await clock.advance(milliseconds(1));
});

afterEach(async () => {
  await clock.until(leader.stop(), seconds(30));
  backend.close();
});

const record = { name: 'm2', address: 'm2:7443', version: '1', etcdMember: '', schema: 1 };
const known = () => leader.view.knownManagers.get(m2)?.value;

const answers = new Map<string, DescribeManagerResponse>();
const peers: Peers = {
  describe: async (address) => {
    const answer = answers.get(address);
    if (answer === undefined) throw new CausewayError('manager-unavailable', `${address} does not answer`);
    return answer;
  },
  reportRefusals: async () => undefined,
};

function registration(address = record.address): Registration {
  const parts = { store, keys: leader.keys, peers, clock, log: new MemoryLog() };
  return new Registration(parts, { ...record, address, instance: 'ours' });
}

/** Manager m2 registers and is killed: the store gets no more calls from it. */
async function die(): Promise<void> {
  const lease = await store.grant(seconds(15));
  const value = records.manager.codec.encode(record);
  await store.txn([], [{ kind: 'put', key: leader.keys.manager(m2), value, lease: lease.id }]);
  await clock.advance(seconds(20));
}

async function forget(request = id): Promise<void> {
  const removal = new RemovalRecord(
    { store, keys: leader.keys, leases: new RequestLeases({ store, clock }) },
    { id: request, content: 'm2' },
  );
  await forgetManager({ roster: new Roster({ store, keys: leader.keys }), record: removal }, m2);
  await clock.advance(milliseconds(1));
}

describe('a manager', () => {
  test('that runs is known, and not gone', async () => {
    const running = registration();
    await running.start();
    await clock.advance(seconds(60));
    expect(known()).toEqual(record);
    await clock.until(running.stop(), seconds(5));
  });

  test('that stopped is known, with since when', async () => {
    const running = registration();
    await running.start();
    await clock.advance(seconds(60));
    await clock.until(running.stop(), seconds(5));
    const stopped = clock.wall();
    await clock.advance(seconds(3_600));
    expect(leader.view.managers.has(m2)).toBe(false);
    expect(known()).toMatchObject({ ...record, goneAt: expect.any(Number) });
    expect(Math.abs((known()?.goneAt ?? 0) - stopped)).toBeLessThan(1_000);
  });

  test('of a version that stores no record of managers, and died, is known too', async () => {
    await die();
    expect(leader.view.managers.has(m2)).toBe(false);
    expect(known()?.goneAt).toBeGreaterThan(0);
  });

  test('that is back is not gone any more', async () => {
    await die();
    const running = registration();
    await running.start();
    await clock.advance(seconds(5));
    expect(known()).toEqual(record);
    await clock.until(running.stop(), seconds(5));
  });

  test('that died under an earlier leader is noticed by the next, which keeps what a later version wrote', async () => {
    const value = records.knownManager.codec.encode(record, { later: 1 });
    await clock.until(leader.stop(), seconds(30));
    await store.txn([], [{ kind: 'put', key: leader.keys.knownManager(m2), value }]);
    const parts = { clock, backend, random: new SeededRandom(4), log: new MemoryLog() };
    leader = new CoreManager(parts, { name: 'm3', ttl: seconds(3) });
    await leader.start();
    await clock.advance(seconds(10));
    expect(known()?.goneAt).toBeGreaterThan(0);
    expect(leader.view.knownManagers.get(m2)?.original).toMatchObject({ later: 1 });
  });
});

describe('a manager whose name is registered at another address', () => {
  const address = 'elsewhere:7443';
  const says = (name: string, instance?: string): DescribeManagerResponse => ({
    manager: managerMessage({ ...record, name }, 'standby', 1n),
    ...(instance !== undefined && { instance }),
  });
  const registered = () => leader.view.managers.get(m2)?.address;

  /** Manager m2 is killed a moment after it has registered; its lease ends by itself. */
  beforeEach(async () => {
    answers.clear();
    const lease = await store.grant(seconds(15));
    const value = records.manager.codec.encode(record);
    await store.txn([], [{ kind: 'put', key: leader.keys.manager(m2), value, lease: lease.id }]);
    await clock.advance(milliseconds(1));
  });

  test.each([
    ['runs', 'theirs'],
    ['runs, in an older version', undefined],
  ])('ends when the other manager %s', async (_, instance) => {
    answers.set(record.address, says('m2', instance));
    const second = registration(address);
    await second.start();
    await clock.advance(seconds(1));
    expect(second.taken.reason).toMatchObject({
      code: 'name-taken',
      message:
        '--name m2: the cluster has a manager of that name at m2:7443: choose another name, or stop that one first',
    });
    expect(registered()).toBe(record.address);
    await clock.until(second.stop(), seconds(5));
    expect(registered()).toBe(record.address);
  });

  test.each<[string, DescribeManagerResponse | undefined, number]>([
    ['does not answer: once its lease has ended', undefined, 18],
    ['had an address that another manager has now: at once', says('m9', 'theirs'), 1],
    ['was this one, before its address changed: at once', says('m2', 'ours'), 1],
  ])('registers when the other manager %s', async (_, answer, within) => {
    if (answer !== undefined) answers.set(record.address, answer);
    const second = registration(address);
    await second.start();
    await clock.advance(seconds(within));
    expect(second.taken.aborted).toBe(false);
    expect(registered()).toBe(address);
    await clock.until(second.stop(), seconds(5));
  });

  test('registers at once at the address that it had: it was killed, and is back', async () => {
    const back = registration();
    await back.start();
    await clock.advance(milliseconds(1));
    await clock.advance(seconds(30));
    expect(registered()).toBe(record.address);
    await clock.until(back.stop(), seconds(5));
  });
});

describe('forgetManager', () => {
  test('a manager that died is off the list, and a retry gets the same answer', async () => {
    await die();
    await forget();
    expect(known()).toBeUndefined();
    await forget();
    const another = '00000000-0000-4000-8000-000000000000' as RequestId;
    await expect(forget(another)).rejects.toMatchObject({ code: 'manager-unknown' });
  });

  test('a manager that runs is refused, and stays', async () => {
    const running = registration();
    await running.start();
    await clock.advance(seconds(5));
    await expect(forget()).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('stop the manager'),
    });
    expect(known()).toEqual(record);
    await clock.until(running.stop(), seconds(5));
  });
});
