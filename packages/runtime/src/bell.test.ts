import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Bell } from './bell.ts';

describe('Bell', () => {
  test('wakes all who wait, and nobody who begins to wait later', async () => {
    const bell = new Bell();
    const { signal } = new AbortController();
    const woken: string[] = [];
    const waiting = ['a', 'b'].map((name) => bell.wait(signal).then(() => woken.push(name)));
    bell.ring();
    await Promise.all(waiting);
    void bell.wait(signal).then(() => woken.push('late'));
    await Promise.resolve();
    expect(woken).toEqual(['a', 'b']);
  });

  test('who waits again when woken is woken by the next ring', async () => {
    const bell = new Bell();
    const { signal } = new AbortController();
    let rings = 0;
    const waiting = (async () => {
      for (; rings < 2; rings++) await bell.wait(signal);
    })();
    bell.ring();
    await Promise.resolve();
    await Promise.resolve();
    bell.ring();
    await waiting;
    expect(rings).toBe(2);
  });

  test('gives up with the signal, before and while it waits, and leaves nothing on it', async () => {
    const bell = new Bell();
    await bell.wait(AbortSignal.abort());
    const abort = new AbortController();
    const given = bell.wait(abort.signal);
    const rung = bell.wait(abort.signal);
    abort.abort();
    await Promise.all([given, rung]);
    const { signal } = new AbortController();
    const waiting = bell.wait(signal);
    bell.ring();
    await waiting;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
