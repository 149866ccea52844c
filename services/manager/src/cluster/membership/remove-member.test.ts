import { CausewayError, type Name, type RequestId } from '@causeway/model';
import { type Duration, seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { RequestLeases } from '../../commit/request-leases.ts';
import { under } from '../../store/contract/act.ts';
import { createKeys } from '../../store/keys.ts';
import { MemoryStore } from '../../store/memory.ts';
import { MemoryBackend } from '../../store/memory-backend.ts';
import { records } from '../../store/records/index.ts';
import type { StoreMemberStatus } from '../../store/store.ts';
import { Roster } from '../roster.ts';
import type { Membership } from './membership.ts';
import { RemovalRecord } from './removal-record.ts';
import { removeMember } from './remove-member.ts';

const id = '3b241101-e2bb-4255-8caf-4136c566a962' as RequestId;

function member(name: string): StoreMemberStatus {
  const place = { id: `id-${name}`, name, peerUrls: [], clientUrls: [], learner: false };
  return { ...place, healthy: true, leader: name === 'm1', size: 1, sizeInUse: 1, revision: 1n, lag: 0n, alarms: [] };
}

const keys = createKeys();
let clock: FakeClock;
let store: MemoryStore;
let members: StoreMemberStatus[];
/** Errors that the next removals throw; `done`: whether the removal happened all the same. */
let failures: { readonly error: CausewayError; readonly done: boolean }[];

beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryStore({ clock, backend: new MemoryBackend({ clock }) });
  members = ['m1', 'm2', 'm3'].map(member);
  failures = [];
});

const membership: Pick<Membership, 'list' | 'remove'> = {
  list: async () => members,
  remove: async (gone) => {
    const failure = failures.shift();
    if (failure?.done !== false) members = members.filter((each) => each.id !== gone);
    if (failure !== undefined) throw failure.error;
  },
};

/** Each removal is made by a different manager: these share only the store. */
function remove(name: string, { request = id, within = seconds(30) }: { request?: RequestId; within?: Duration } = {}) {
  const leases = new RequestLeases({ store, clock });
  const record = new RemovalRecord({ store, leases, keys }, { id: request, content: name });
  const roster = new Roster({ store, keys });
  const parts = {
    membership: membership as Membership,
    store: { members: async () => members },
    roster,
    record,
    clock,
  };
  return clock.until(removeMember(parts, { name: name as Name, force: false }), within);
}

const lost = new CausewayError('timed-out', 'no answer');
const unsure = new CausewayError('quorum-loss', 'etcd refuses, too few of its members are connected');

/** Writes the records of a registered manager of that name. */
async function register(name: string): Promise<void> {
  const record = { name, address: `${name}:7443`, version: '1', etcdMember: name, schema: 1 };
  const [key, known] = [keys.manager(name as Name), keys.knownManager(name as Name)];
  await store.txn([], [{ kind: 'put', key, value: records.manager.codec.encode(record) }]);
  await store.txn([], [{ kind: 'put', key: known, value: records.knownManager.codec.encode(record) }]);
}

const listed = async (): Promise<readonly string[]> =>
  (await under(store, keys.prefix)).map(({ key }) => key).filter((key) => key.includes('manager/'));

describe('removeMember', () => {
  test('the manager is off the list with its member', async () => {
    await register('m2');
    await register('m3');
    await remove('m3');
    expect(await listed()).toEqual([keys.knownManager('m2' as Name), keys.manager('m2' as Name)]);
  });

  test('by the id of its member too', async () => {
    await register('m3');
    await remove('id-m3');
    expect(await listed()).toEqual([]);
  });

  test('a manager whose member is gone already is taken off the list', async () => {
    await register('m4');
    await remove('m4');
    expect(await listed()).toEqual([]);
    expect(members).toHaveLength(3);
  });

  test('a retry gets the same answer, also when another manager has the name by then', async () => {
    await remove('m3');
    members = [...members, member('m3')];
    await remove('m3');
    expect(members).toHaveLength(3);
  });

  test('a retry after a lost reply finds its own work', async () => {
    failures = [{ error: lost, done: true }];
    await expect(remove('m3')).rejects.toBe(lost);
    await remove('m3');
    expect(members.map(({ name }) => name)).toEqual(['m1', 'm2']);
  });

  test('a retry of what was not done does it', async () => {
    failures = [{ error: lost, done: false }];
    await expect(remove('m3')).rejects.toBe(lost);
    await remove('m3');
    expect(members).toHaveLength(2);
  });

  test('another request does not find the member any more', async () => {
    await remove('m3');
    const request = '00000000-0000-4000-8000-000000000000' as RequestId;
    await expect(remove('m3', { request })).rejects.toMatchObject({ code: 'manager-unknown' });
  });

  test('the same id with another name is refused', async () => {
    await remove('m3');
    await expect(remove('m2')).rejects.toMatchObject({ code: 'request-reused' });
    expect(members).toHaveLength(2);
  });

  test('the store’s own doubts pass', async () => {
    failures = [
      { error: unsure, done: false },
      { error: unsure, done: false },
    ];
    await remove('m3');
    expect(members).toHaveLength(2);
  });

  test('an election is waited for', async () => {
    const before = members;
    members = members.map((each) => ({ ...each, healthy: false }));
    const removal = remove('m3');
    await clock.advance(seconds(1));
    members = before;
    await removal;
    expect(members).toHaveLength(2);
  });

  test('without a majority it is refused soon, with the reason', async () => {
    members = members.map((each) => ({ ...each, healthy: each.name === 'm1' }));
    await expect(remove('m3', { within: seconds(5) })).rejects.toMatchObject({
      code: 'quorum-loss',
      message: expect.stringMatching(
        /no majority: 1 of 3 members are healthy and 2 have to agree.*m3 cannot be removed/,
      ),
    });
    expect(members).toHaveLength(3);
  });

  test('where too few members answer to elect a leader it is refused within a second', async () => {
    members = members.map((each) => ({ ...each, healthy: false, revision: each.name === 'm1' ? 1n : 0n }));
    await expect(remove('m3', { within: seconds(5) })).rejects.toMatchObject({
      message: expect.stringMatching(/no majority: 0 of 3/),
    });
    expect(clock.now()).toBeLessThan(1_000);
  });
});
