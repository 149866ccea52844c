import type { Interruption, Output } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { visible } from '../render/visible.ts';

export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly signal: AbortSignal;
}

/** 128 + the number of the signal, as shells report it. */
const interruptions: Readonly<Partial<Record<NodeJS.Signals, Interruption>>> = {
  SIGINT: { exitCode: 130 },
  SIGTERM: { exitCode: 143 },
};

/** The reader of stdout has gone ("causeway events --watch | head -1"): the work is done, not failed. */
const readerGone: Interruption = { exitCode: 0 };

/** The output could not be written ("causeway network list > /mnt/full/list"). */
const unwritable: Interruption = { exitCode: exitCodes.failed };

/** Opens the streams and handles the signals of the process. A second SIGINT ends the process at once. */
export function openTerminal(of: NodeJS.Process): Terminal {
  const abort = new AbortController();
  for (const [signal, interruption] of Object.entries(interruptions)) {
    of.once(signal, () => abort.abort(interruption));
  }
  const stderr = openOutput(of.stderr, of.env, () => undefined);
  const stdout = openOutput(of.stdout, of.env, ({ code, message }) => {
    if (code === 'EPIPE') return abort.abort(readerGone);
    stderr.write(`causeway: stdout cannot be written: ${visible(message)}\n`);
    abort.abort(unwritable);
    // A stream reports the error a moment later, when the command may already have ended well.
    of.exitCode = unwritable.exitCode;
  });
  return { stdout, stderr, signal: abort.signal };
}

function openOutput(
  stream: NodeJS.WriteStream,
  env: NodeJS.ProcessEnv,
  onGone: (error: NodeJS.ErrnoException) => void,
): Output {
  let gone = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (gone) return;
    gone = true;
    onGone(error);
  });
  const isTty = stream.isTTY === true;
  return {
    write: (text) => {
      if (!gone) stream.write(text);
    },
    isTty,
    colour: isTty && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
  };
}
