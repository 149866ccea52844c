import type { Writable } from 'node:stream';
import { type Clock, milliseconds } from '@causeway/runtime';

/** For a reader that does not read, once the process was told to end. */
const patience = milliseconds(200);

/** The parts of a process that leaving it takes. */
export interface Leavable {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly exitCode?: number | string | null | undefined;
  exit(code: number): void;
}

/**
 * Ends the process when what was written is out, whatever else is still open: a connection that hangs would keep the
 * event loop alive for minutes. Once the signal has aborted, a reader that does not read is not waited for.
 */
export async function leave(of: Leavable, code: number, { clock, signal }: { clock: Clock; signal: AbortSignal }) {
  const flushed = Promise.all([flush(of.stdout), flush(of.stderr)]);
  await Promise.race([flushed, giveUp(clock, signal)]);
  // What could not be written is told on the stream, a moment later than the command's own end.
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
