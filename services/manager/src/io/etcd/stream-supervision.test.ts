import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import type { EtcdEndpoint, EtcdPool } from './pool.ts';
import { type StreamState, StuckStream, superviseStream, verdict } from './stream-supervision.ts';

const interval = seconds(2);

/** A stream and its member. The member says that it is at a revision, or does not answer. */
function createWorld(revision: () => bigint | undefined) {
  const clock = new FakeClock();
  const state: StreamState = { silentSince: clock.now(), delivered: 7n };
  const asked: number[] = [];
  const given: { why?: Error; at?: number } = {};
  const abort = new AbortController();
  const stream = {
    write: () => {
      asked.push(clock.now());
      return true;
    },
    destroy: (why?: Error) => {
      Object.assign(given, { why, at: clock.now() });
      return undefined as never;
    },
  };
  const pool = {
    bounds: () => ({ deadline: 0 }),
    call: async () => {
      const current = revision();
      if (current === undefined) throw new Error('deadline exceeded');
      return { header: { revision: current } };
    },
  } as unknown as Pick<EtcdPool, 'call' | 'bounds'>;
  const endpoint = {
    url: 'http://m1',
    clients: { maintenance: { status: () => undefined } },
  } as unknown as EtcdEndpoint;
  const supervision = superviseStream({ clock, pool }, { endpoint, stream, state }, interval, abort.signal);
  const stop = async (): Promise<void> => {
    abort.abort();
    await supervision;
  };
  return { clock, state, asked, given, stop };
}

test('a stream that answers its progress requests is listened to for ever', async () => {
  const { clock, state, asked, given, stop } = createWorld(() => undefined);
  for (let i = 0; i < 10; i++) {
    await clock.advance(interval);
    await clock.advance(milliseconds(10));
    state.silentSince = clock.now();
  }
  expect(asked).toHaveLength(10);
  expect(given.why).toBeUndefined();
  await stop();
});

test.each([
  ['a member that does not answer beside it either', undefined],
  ['a member that has nothing it could bring', 7n],
])('is given up at %s', async (_, revision) => {
  const { clock, asked, given, stop } = createWorld(() => revision);
  await clock.advance(seconds(10));
  expect(asked).toEqual([2_000]);
  expect(given.at).toBe(4_000);
  expect(given.why).not.toBeInstanceOf(StuckStream);
  await stop();
});

test('while the member lives and has something to bring, silence is not taken for a broken stream, for ten times as long', async () => {
  const { clock, given, stop } = createWorld(() => 8n);
  await clock.advance(seconds(19));
  expect(given.why).toBeUndefined();
  await clock.advance(seconds(3));
  expect(given.why).toBeInstanceOf(StuckStream);
  await stop();
});

test('what it says in between begins the silence anew', async () => {
  const { clock, state, given, stop } = createWorld(() => 8n);
  await clock.advance(seconds(19));
  state.silentSince = undefined;
  await clock.advance(seconds(30));
  state.silentSince = clock.now();
  await clock.advance(seconds(19));
  expect(given.why).toBeUndefined();
  await stop();
});

test('a verdict names what it rests on', () => {
  const seen = { revision: 9n, delivered: 7n, silent: 20_000, interval };
  expect(verdict(seen)?.message).toContain('revision 9');
  expect(verdict({ ...seen, silent: 19_999 })).toBeUndefined();
  expect(verdict({ ...seen, revision: undefined })?.message).toContain(`${milliseconds(2_000)} ms`);
});
