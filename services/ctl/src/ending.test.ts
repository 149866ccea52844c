import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { inTime } from './ending.ts';

const forever = new Promise<string>(() => undefined);
const neverAborts = new AbortController().signal;

describe('a command', () => {
  test('that ends by itself is waited for, and nothing stays asleep', async () => {
    const clock = new FakeClock();
    const limits = { clock, signal: neverAborts, timeout: seconds(1) };
    expect(await inTime(Promise.resolve('done'), limits)).toBe('done');
    await clock.advance(milliseconds(0));
    expect(clock.sleeping).toBe(0);
  });

  test('that fails, fails', async () => {
    const clock = new FakeClock();
    const failing = inTime(Promise.reject(new Error('no')), { clock, signal: neverAborts, timeout: seconds(1) });
    await expect(failing).rejects.toThrow('no');
  });

  test('that hangs ends within half a second of its timeout', async () => {
    const clock = new FakeClock();
    const hanging = inTime(forever, { clock, signal: neverAborts, timeout: seconds(2) });
    await expect(clock.until(hanging, seconds(60))).rejects.toMatchObject({ code: 'timed-out' });
    expect(clock.now()).toBeGreaterThan(2_000);
    expect(clock.now()).toBeLessThanOrEqual(2_500);
  });

  test('without a timeout may take as long as it takes', async () => {
    const clock = new FakeClock();
    let end: (text: string) => void = () => undefined;
    const work = new Promise<string>((resolve) => {
      end = resolve;
    });
    const waiting = inTime(work, { clock, signal: neverAborts });
    await clock.advance(seconds(3_600));
    end('late');
    expect(await waiting).toBe('late');
  });

  test.each([
    ['before it begins', true],
    ['while it hangs', false],
  ])('asked to end %s has a moment', async (_, early) => {
    const clock = new FakeClock();
    const abort = new AbortController();
    if (early) abort.abort();
    const hanging = inTime(forever, { clock, signal: abort.signal, timeout: seconds(60) });
    await clock.advance(milliseconds(0));
    abort.abort();
    expect(await clock.until(hanging, seconds(1))).toBe(undefined);
    expect(clock.now()).toBeLessThanOrEqual(250);
  });

  test('after a signal a command that ends within the limit ends by itself', async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const work = new Promise<string>((resolve) => abort.signal.addEventListener('abort', () => resolve('tidied')));
    const waiting = inTime(work, { clock, signal: abort.signal });
    abort.abort();
    expect(await waiting).toBe('tidied');
  });
});
