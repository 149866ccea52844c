import { CausewayError } from '@causeway/model';
import { type Clock, type Duration, milliseconds } from '@causeway/runtime';
import { formatSpan } from './render/time.ts';

/** `--timeout` is a promise: whatever hangs, a command ends this long after it. A command that ends by itself is better told. */
const overtime = milliseconds(400);

/** What a command may do after a signal, such as removing a file that is only half written. */
const lastMoment = milliseconds(200);

export interface Limits {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Absent: the work may take as long as it takes. */
  readonly timeout?: Duration;
}

/**
 * The work's own end, or the end of waiting for it: a moment after the signal (undefined), or after the timeout.
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
    work.catch(() => undefined); // what comes of work that is not waited for any more is of no interest
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
