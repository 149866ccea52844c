import { seconds } from '@causeway/runtime';
import type { Context } from '../context.ts';
import { formatSpan } from './time.ts';
import { visible } from './visible.ts';

/** Shorter work shows no progress. */
const patience = seconds(1);

const clearLine = '\r\u001b[K';

/** When the work takes longer than a second and stderr is a terminal: a line on stderr that counts the seconds. */
export async function withProgress<Value>(
  context: Pick<Context, 'clock' | 'stderr'>,
  label: string,
  work: Promise<Value>,
): Promise<Value> {
  if (!context.stderr.isTty) return await work;
  const done = new AbortController();
  const drawing = draw(context, label, done.signal);
  try {
    return await work;
  } finally {
    done.abort();
    await drawing;
  }
}

async function draw(
  { clock, stderr }: Pick<Context, 'clock' | 'stderr'>,
  label: string,
  done: AbortSignal,
): Promise<void> {
  const start = clock.now();
  let drawn = false;
  for (;;) {
    await clock.sleep(patience, done);
    if (done.aborted) break;
    stderr.write(`${clearLine}${visible(label)} … ${formatSpan(clock.now() - start)}`);
    drawn = true;
  }
  if (drawn) stderr.write(clearLine);
}
