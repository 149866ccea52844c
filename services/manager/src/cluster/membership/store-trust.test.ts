import { formatPins, type TrustBundle } from '@causeway/identity';
import type { Name } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nothingToDo } from '../../plan/intent.ts';
import type { Ca } from '../../store/records/ca.ts';
import { records } from '../../store/records/index.ts';
import type { StoreMemberStatus } from '../../store/store.ts';
import { foundTestCluster } from '../../testing/founded-cluster.ts';
import { PlanHarness } from '../../testing/plan-harness.ts';
import { StoreTrust } from './store-trust.ts';

let clock: FakeClock;
let desk: PlanHarness;
let managers: readonly Manager[];
let restarts: string[];
const before = foundTestCluster(1_800_000_000_000).founding.ca;
const next = foundTestCluster(1_800_000_000_000).founding.ca;

/** A manager whose etcd takes two seconds to restart. */
class Manager {
  readonly name: string;
  disk: TrustBundle = before.roots;
  isHealthy = true;
  trust = formatPins(before.roots);
  readonly loop: StoreTrust;

  constructor(name: string) {
    this.name = name;
    const etcd = {
      trusted: () => this.trust,
      get trust() {
        return this.trusted();
      },
      restart: () => this.restart(),
    };
    const parts = { view: desk.view, membership: { list: async () => members() }, etcd, clock, log: new MemoryLog() };
    const register = (trust: string): void => this.register(trust);
    this.loop = new StoreTrust({ ...parts, onDisk: () => this.disk, register }, { name });
  }

  register(etcdTrust: string): void {
    if (desk.view.managers.get(this.name as Name)?.etcdTrust === etcdTrust) return;
    const record = { ...{ name: this.name, address: this.name, version: '1', etcdMember: this.name }, schema: 1 };
    put(desk.keys.manager(this.name as Name), records.manager.codec.encode({ ...record, etcdTrust }));
  }

  async restart(): Promise<void> {
    restarts.push(this.name);
    this.isHealthy = false;
    await clock.sleep(seconds(2));
    this.isHealthy = true;
    this.trust = formatPins(this.disk);
  }
}

function members(): readonly StoreMemberStatus[] {
  return managers.map(({ name, isHealthy: healthy }) => ({
    ...{ id: name, name, clientUrls: [], peerUrls: [], learner: false, healthy, leader: false, size: 1 },
    ...{ sizeInUse: 1, revision: 1n, lag: 0n, alarms: [] },
  }));
}

function put(key: string, value: Uint8Array): void {
  desk.write({ ...nothingToDo(undefined), writes: [{ kind: 'put', key, value }] });
}

const setCa = (ca: Ca): void => put(desk.keys.ca, records.ca.codec.encode(ca));
const trusts = (): readonly string[] => managers.map(({ trust }) => trust);

beforeEach(async () => {
  clock = new FakeClock();
  desk = new PlanHarness(new SeededRandom(7));
  restarts = [];
  setCa(before);
  managers = ['m1', 'm2', 'm3'].map((name) => new Manager(name));
  for (const { loop } of managers) await loop.start();
  await clock.advance(seconds(10));
});

afterEach(async () => {
  await clock.until(Promise.all(managers.map(({ loop }) => loop.stop())), seconds(30));
});

test('etcds that have read the roots go on', () => {
  expect(restarts).toEqual([]);
});

test('during a rotation they go on, and afterwards they are restarted one after the other', async () => {
  setCa({ ...next, generation: 2, roots: [...next.roots, ...before.roots] });
  for (const manager of managers) manager.disk = [...next.roots, ...before.roots];
  await clock.advance(seconds(30));
  expect(restarts).toEqual([]);
  setCa({ ...next, generation: 2 });
  for (const manager of managers) manager.disk = next.roots;
  await clock.advance(seconds(6));
  expect(members().filter(({ healthy }) => !healthy).length).toBeLessThan(2);
  await clock.advance(seconds(30));
  expect(restarts).toEqual(['m1', 'm2', 'm3']);
  expect(new Set(trusts())).toEqual(new Set([formatPins(next.roots)]));
});

test('none is restarted while a member is not healthy', async () => {
  const [, second] = managers;
  if (second !== undefined) second.isHealthy = false;
  setCa({ ...next, generation: 2 });
  for (const manager of managers) manager.disk = next.roots;
  await clock.advance(seconds(60));
  expect(restarts).toEqual([]);
  if (second !== undefined) second.isHealthy = true;
  await clock.advance(seconds(30));
  expect(restarts).toEqual(['m1', 'm2', 'm3']);
});
