import type { NetworkId } from '@causeway/model';
import { expect, it } from 'vitest';
import { SweepPace } from './sweep-pace.ts';

const id = (n: number): NetworkId => n.toString(16).padStart(16, '0') as NetworkId;

it('looks at each network every 30 s while that is cheap', () => {
  const pace = new SweepPace();
  expect(pace.interval).toBe(30_000);
  for (let n = 0; n < 25; n++) pace.took(id(n), 4);
  expect(pace.interval).toBe(30_000);
});

it('takes two hundred times what it costs where there are many, and never more than ten minutes', () => {
  const pace = new SweepPace();
  for (let n = 0; n < 400; n++) pace.took(id(n), 4);
  expect(pace.interval).toBe(320_000);
  for (let n = 0; n < 400; n++) for (let read = 0; read < 2; read++) pace.took(id(n), 100);
  expect(pace.interval).toBe(600_000);
});

it('does not count a single read that took long', () => {
  const pace = new SweepPace();
  for (const span of [4, 3000, 4]) {
    pace.took(id(0), span);
    expect(pace.interval).toBe(30_000);
  }
  for (const span of [3000, 2000]) pace.took(id(0), span);
  expect(pace.interval).toBe(400_000);
});

it('goes by the last look at each, and forgets networks that are gone', () => {
  const pace = new SweepPace();
  for (let n = 0; n < 100; n++) pace.took(id(n), 500);
  for (let n = 0; n < 100; n++) pace.took(id(n), 5);
  expect(pace.interval).toBe(100_000);
  for (let n = 30; n < 100; n++) pace.forget(id(n));
  expect(pace.interval).toBe(30_000);
});
