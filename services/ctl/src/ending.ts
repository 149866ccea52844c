import { CausewayError } from '@causeway/model';
import { type Clock, type Duration, milliseconds } from '@causeway/runtime';
import { formatSpan } from './render/time.ts';

/**
 * A command ends at the latest this long after `--timeout`, whatever hangs. A command that ends by itself before that has
 * the better message.
 */
const overtime = milliseconds(400);

/** Time that a command has after a signal, for example to remove a half-written file. */
const lastMoment = milliseconds(200);

export interface Limits {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Absent: the time for the work is not limited. */
  readonly timeout?: Duration;
}

/**
 * Resolves with the result of the work, or with undefined a moment after the signal. Throws a moment after the timeout.
 * @throws what the work throws; CausewayError timed-out
 */
export async function inTime<Value>(
  work: Promise<Value>,
  { clock, signal, timeout }: Limits,
): Promise<Value | undefined> {
  const done = new AbortController();
  const ends: Promise<Value | undefined>[] = [work, interrupted(clock, signal, done.signal)];
  if (timeout !== undefined) ends.push(overdue(clock, timeout, done.signal));
  try {
    return await Promise.race(ends);
  } finally {
    done.abort();
    work.catch(() => undefined); // the outcome of work that is no longer awaited does not matter
  }
}

async function interrupted(clock: Clock, signal: AbortSignal, done: AbortSignal): Promise<undefined> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true, signal: done });
  });
  await clock.sleep(lastMoment, done);
  return undefined;
}

async function overdue(clock: Clock, timeout: Duration, done: AbortSignal): Promise<undefined> {
  await clock.sleep(milliseconds(timeout + overtime), done);
  if (done.aborted) return undefined;
  throw new CausewayError(
    'timed-out',
    `the command did not end within ${formatSpan(timeout)}: what it waits for hangs`,
  );
}
