import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock } from '@causeway/runtime/testing';
import { expect, it } from 'vitest';
import { inTime } from '../ending.ts';
import { Budget } from './budget.ts';

it('the result of a last look counts before the command is given up', async () => {
  const clock = new FakeClock();
  const budget = new Budget(clock, seconds(2));
  const work = async (): Promise<never> => {
    await clock.sleep(budget.left());
    await clock.sleep(budget.left());
    throw new Error('no answer');
  };
  const command = inTime(work(), { clock, signal: new AbortController().signal, timeout: budget.total });
  await expect(clock.until(command, seconds(60))).rejects.toThrow('no answer');
  expect(budget.left()).toBeGreaterThanOrEqual(milliseconds(200));
});
