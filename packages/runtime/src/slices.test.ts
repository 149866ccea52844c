import { expect, test } from 'vitest';
import type { Clock } from './clock.ts';
import { Slices } from './slices.ts';

/** A clock that moves when work is done, and an event loop that counts its turns. */
class Loop implements Clock {
  turn = 0;
  time = 0;
  now = (): number => this.time;
  wall = (): number => this.time;
  sleep = (): Promise<void> => Promise.reject(new Error('not used'));
  yield = (): Promise<void> => {
    const next = this.turn + 1;
    return new Promise((resolve) => setImmediate(resolve)).then(() => {
      this.turn = Math.max(this.turn, next);
    });
  };
}

test('one computation pauses each time that it has worked for long enough', async () => {
  const clock = new Loop();
  const slices = new Slices({ clock }, { longest: 5 });
  const turns: number[] = [];
  for (let i = 0; i < 12; i++) {
    await slices.maybeYield();
    turns.push(clock.turn);
    clock.time++;
  }
  expect(turns).toEqual([0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2]);
});

test('many computations at once share the time of each turn, in their order', async () => {
  const clock = new Loop();
  const slices = new Slices({ clock }, { longest: 5 });
  clock.time = 100;
  const turns: number[] = [];
  const work = (n: number): number => {
    turns[n] = clock.turn;
    clock.time++;
    return n;
  };
  const done = Array.from({ length: 12 }, (_, n) => slices.next(() => work(n)));
  expect(await Promise.all(done)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(turns).toEqual([1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3]);
});
