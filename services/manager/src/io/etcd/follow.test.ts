import { seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import { expect, test } from 'vitest';
import { resume } from './follow.ts';
import type { EtcdPool } from './pool.ts';

test('a store that stays away is one warning, however often it is asked', async () => {
  const [clock, log, end] = [new FakeClock(), new MemoryLog(), new AbortController()];
  let asked = 0;
  const ready = (): Promise<never> => {
    if (++asked === 5) end.abort();
    return Promise.reject(new Error('etcdserver: no leader'));
  };
  const pool = { bounds: () => ({}), ready, pass: () => undefined } as unknown as EtcdPool;
  const settings = { backoff: { first: seconds(1), max: seconds(1), factor: 1 }, progressInterval: seconds(1) };
  const steps = resume(
    { pool, clock, random: new SeededRandom(1), log },
    settings,
    { prefix: '/', after: 1n },
    end.signal,
  );
  const ended = steps.next();
  while (!end.signal.aborted) await clock.advance(seconds(1));
  expect(await ended).toMatchObject({ done: true });
  const broken = log.lines.filter(({ event }) => event === 'store.follow-broken');
  expect(broken.map(({ level }) => level)).toEqual(['warn', 'debug', 'debug', 'debug']);
});
