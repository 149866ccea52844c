import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Notifier } from './notifier.ts';

describe('Notifier', () => {
  test('wakes all waiters, and no caller that begins to wait later', async () => {
    const notifier = new Notifier();
    const { signal } = new AbortController();
    const woken: string[] = [];
    const waiting = ['a', 'b'].map((name) => notifier.wait(signal).then(() => woken.push(name)));
    notifier.notify();
    await Promise.all(waiting);
    void notifier.wait(signal).then(() => woken.push('late'));
    await Promise.resolve();
    expect(woken).toEqual(['a', 'b']);
  });

  test('a waiter that waits again when woken is woken by the next ring', async () => {
    const notifier = new Notifier();
    const { signal } = new AbortController();
    let rings = 0;
    const waiting = (async () => {
      for (; rings < 2; rings++) await notifier.wait(signal);
    })();
    notifier.notify();
    await Promise.resolve();
    await Promise.resolve();
    notifier.notify();
    await waiting;
    expect(rings).toBe(2);
  });

  test('gives up with the signal, before and while it waits, and leaves nothing on it', async () => {
    const notifier = new Notifier();
    await notifier.wait(AbortSignal.abort());
    const abort = new AbortController();
    const given = notifier.wait(abort.signal);
    const rung = notifier.wait(abort.signal);
    abort.abort();
    await Promise.all([given, rung]);
    const { signal } = new AbortController();
    const waiting = notifier.wait(signal);
    notifier.notify();
    await waiting;
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
