import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { describe, expect, test } from 'vitest';
import { Page } from '../testing/run-line.ts';
import { withProgress } from './progress.ts';

describe('while work goes on', () => {
  const clear = '\r\u001b[K';

  test('at a terminal: a line after a second, counted on, and gone at the end', async () => {
    const clock = new FakeClock();
    const stderr = new Page(true);
    const work = withProgress({ clock, stderr }, 'waiting', clock.sleep(milliseconds(2_500)));
    await clock.advance(milliseconds(999));
    expect(stderr.text).toBe('');
    await clock.until(work, seconds(5));
    expect(stderr.text).toBe(`${clear}waiting … 1s${clear}waiting … 2s${clear}`);
  });

  test('quick work draws nothing', async () => {
    const clock = new FakeClock();
    const stderr = new Page(true);
    await clock.until(withProgress({ clock, stderr }, 'waiting', clock.sleep(milliseconds(900))), seconds(5));
    expect(stderr.text).toBe('');
  });

  test('without a terminal nothing is drawn', async () => {
    const clock = new FakeClock();
    const stderr = new Page(false);
    await clock.until(withProgress({ clock, stderr }, 'waiting', clock.sleep(seconds(5))), seconds(9));
    expect(stderr.text).toBe('');
  });

  test('a failure passes through, after the line is gone', async () => {
    const clock = new FakeClock();
    const stderr = new Page(true);
    const failure = clock.sleep(milliseconds(1_500)).then(() => Promise.reject(new Error('no')));
    await expect(clock.until(withProgress({ clock, stderr }, 'waiting', failure), seconds(5))).rejects.toThrow('no');
    expect(stderr.text.endsWith(clear)).toBe(true);
  });
});
