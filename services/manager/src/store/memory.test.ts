import { milliseconds, minutes, seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { describe, expect, it } from 'vitest';
import { failure, put, read, write } from './contract/act.ts';
import { type StoreWorld, storeContract } from './contract.ts';
import { MemoryStore } from './memory.ts';
import { MemoryBackend } from './memory-backend.ts';

describe('MemoryStore holds the store contract', () => {
  for (const { name, run } of storeContract)
    it(name, async () => {
      const world = createWorld();
      await world.clock.until(run(world), minutes(10));
      world.close();
    });
});

describe('MemoryStore', () => {
  it('keeps what a frozen backend was sent, and serves it late', async () => {
    const { store, clock, freeze, unfreeze } = createWorld();
    await freeze();
    const error = await clock.until(failure(store.txn([], [put('a')])), seconds(10));
    expect(error).toMatchObject({ code: 'timed-out' });
    unfreeze();
    expect(await read(store, 'a')).toBe('x');
  });

  it('takes the latency both ways, and follows later by it', async () => {
    const { store, witness, clock } = createWorld();
    store.latency = () => milliseconds(20);
    const changes: number[] = [];
    const abort = new AbortController();
    const following = (async () => {
      for await (const _ of store.follow('', abort.signal)) changes.push(clock.now());
    })();
    await clock.advance(milliseconds(100));
    const writing = write(store, put('a'));
    await clock.until(writing, seconds(1));
    expect(clock.now()).toBe(140);
    await clock.advance(milliseconds(20));
    await write(witness, put('b'));
    await clock.advance(milliseconds(20));
    expect(changes).toEqual([20, 140, 180]);
    abort.abort();
    await following;
  });

  it('asks for a fault at each call', async () => {
    const { store, clock } = createWorld();
    const asked: string[] = [];
    store.fault = (operation) => {
      asked.push(operation);
      return operation === 'lease' ? 'refused' : 'none';
    };
    await write(store, put('a'));
    await read(store, 'a');
    expect(await failure(clock.until(store.grant(seconds(1)), seconds(1)))).toMatchObject({
      code: 'store-unavailable',
    });
    expect(asked).toEqual(['txn', 'read', 'lease']);
  });
});

function createWorld() {
  const clock = new FakeClock();
  const backend = new MemoryBackend({ clock });
  const store = new MemoryStore({ clock, backend });
  const witness = new MemoryStore({ clock, backend });
  const world = {
    store,
    witness,
    clock,
    prefix: '/t/',
    limits: { pageSize: 100, leaseTtl: seconds(3), callTimeout: seconds(5) },
    cut: () => store.cut(),
    cutReplays: (count: number) => store.cutReplays(count),
    setReachable: (reachable: boolean) => store.setReachable(reachable),
    loseNext: (what: 'reply' | 'request') => {
      store.fault = () => `lost-${what}` as const;
    },
    restore: () => {
      store.fault = () => 'none';
    },
    freeze: async () => backend.freeze(),
    unfreeze: () => backend.unfreeze(),
    compact: async (revision: bigint) => backend.compact(revision),
  } satisfies StoreWorld;
  return {
    ...world,
    close: () => backend.close(),
  };
}
