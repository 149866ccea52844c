import type { Writable } from 'node:stream';
import { type Clock, milliseconds } from '@causeway/runtime';

/** Time for a reader that does not read, after the process was asked to end. */
const patience = milliseconds(200);

/** The parts of a process that `leave` uses. */
export interface Leavable {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly exitCode?: number | string | null | undefined;
  exit(code: number): void;
}

/**
 * Ends the process when its output is written, whatever else is still open: a hanging connection would keep the event
 * loop alive for minutes. After the signal has aborted, a reader that does not read gets only a moment.
 */
export async function leave(of: Leavable, code: number, { clock, signal }: { clock: Clock; signal: AbortSignal }) {
  const flushed = Promise.all([flush(of.stdout), flush(of.stderr)]);
  await Promise.race([flushed, giveUp(clock, signal)]);
  // An error of the streams sets the exit code a moment after the command's own end.
  const failed = typeof of.exitCode === 'number' && of.exitCode !== 0 ? of.exitCode : undefined;
  of.exit(failed ?? code);
}

function flush(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) return resolve();
    stream.once('error', () => resolve());
    stream.once('close', () => resolve());
    stream.write('', () => resolve());
  });
}

async function giveUp(clock: Clock, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await clock.sleep(patience);
}
