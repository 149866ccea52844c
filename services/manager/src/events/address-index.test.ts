import type { Ip, NetworkId } from '@causeway/model';
import { milliseconds } from '@causeway/runtime';
import { FakeClock, SeededRandom } from '@causeway/runtime/testing';
import { beforeEach, expect, test } from 'vitest';
import { under } from '../store/contract/act.ts';
import { EventStore } from '../testing/event-store.ts';
import { AddressIndex } from './address-index.ts';
import { decodeRecord } from './record.ts';

const never = new AbortController().signal;

let clock: FakeClock;
let world: EventStore;
let epoch: bigint;
let reads: number;
let index: AddressIndex;

beforeEach(() => {
  clock = new FakeClock(1_800_000_000_000);
  world = new EventStore(clock);
  epoch = 1n;
  reads = 0;
  world.store.fault = (operation) => {
    if (operation === 'read') reads++;
    return 'none';
  };
  index = new AddressIndex({ ...world, epoch: () => epoch });
});

async function attached(text: string, id = 'n1'): Promise<void> {
  const [address, networkId] = [text as Ip, id as NetworkId];
  await world.record([{ kind: 'endpoint.attached', message: 'x', networkId, network: id, addresses: [address] }]);
  await clock.advance(milliseconds(1));
}

async function deleted(id: string): Promise<void> {
  const networkId = id as NetworkId;
  await world.record([{ kind: 'network.deleted', message: 'x', networkId, network: id }]);
  await clock.advance(milliseconds(1));
}

const found = async (address: string): Promise<readonly string[]> =>
  (await index.find(address, never)).map(({ kind, networkId }) => `${kind} ${networkId}`);

/** The result of a scan of all events. */
async function scanned(address: string): Promise<readonly string[]> {
  const kvs = await under(world.store, world.keys.events);
  const events = kvs.flatMap(decodeRecord);
  const naming = events.filter(({ addresses }) => addresses.includes(address));
  const networks = new Set(naming.map(({ networkId }) => networkId));
  return events
    .filter((event) => naming.includes(event) || (event.kind === 'network.deleted' && networks.has(event.networkId)))
    .map(({ kind, networkId }) => `${kind} ${networkId}`);
}

test('a later question reads only the new events and those about the address', async () => {
  for (let i = 0; i < 3_000; i++) await attached(`10.0.${i >> 8}.${i & 255}`);
  expect(await found('10.0.3.7')).toEqual(['endpoint.attached n1']);
  expect(reads).toBeGreaterThan(5);
  reads = 0;
  expect(await found('10.0.9.9')).toEqual(['endpoint.attached n1']);
  expect(reads).toBeLessThanOrEqual(2);
  await attached('10.0.9.9', 'n2');
  await deleted('n2');
  await deleted('n3');
  reads = 0;
  expect(await found('10.0.9.9')).toEqual(['endpoint.attached n1', 'endpoint.attached n2', 'network.deleted n2']);
  expect(reads).toBeLessThanOrEqual(5);
});

test('finds what a look at every event finds, while events come and go', async () => {
  const random = new SeededRandom(1);
  const number = (below: number): number => Math.floor(random.float() * below);
  const networks = Array.from({ length: 5 }, (_, i) => `n${i}`);
  for (let round = 0; round < 400; round++) {
    if (random.float() < 0.8) await attached(`10.0.0.${number(12)}`, networks[number(5)]);
    else if (random.float() < 0.7) {
      const [gone] = networks.splice(number(5), 1, `n${round + 10}`);
      if (gone !== undefined) await deleted(gone);
    } else {
      const kvs = await under(world.store, world.keys.events);
      const gone = kvs.slice(0, number(40));
      await world.store.txn(
        [],
        gone.map(({ key }) => ({ kind: 'delete', key }) as const),
      );
    }
    if (random.float() > 0.3) continue;
    const address = `10.0.0.${number(12)}`;
    expect(await found(address), `round ${round}`).toEqual(await scanned(address));
  }
});

test('many who ask at once read the past once', async () => {
  for (let i = 0; i < 1_200; i++) await attached(`10.0.${i >> 8}.${i & 255}`);
  await Promise.all(Array.from({ length: 20 }, (_, i) => found(`10.0.0.${i}`)));
  expect(reads).toBeLessThanOrEqual(3 + 20 * 2 + 1);
});

test('another store, from a backup, is read anew', async () => {
  await attached('10.0.0.1');
  expect(await found('10.0.0.1')).toHaveLength(1);
  const kvs = await under(world.store, world.keys.events);
  await world.store.txn(
    [],
    kvs.map(({ key }) => ({ kind: 'delete', key }) as const),
  );
  const [kv] = kvs;
  if (kv === undefined) throw new Error('no record');
  const early = world.keys.eventsAt(world.keys.placeForEvents(1_700_000_000_000), 1);
  await world.store.txn([], [{ kind: 'put', key: early, value: kv.value }]);
  epoch = 2n;
  expect(await found('10.0.0.1')).toHaveLength(1);
});
