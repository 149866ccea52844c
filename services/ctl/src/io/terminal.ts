import type { Interruption, Output } from '../context.ts';

export interface Terminal {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly signal: AbortSignal;
}

/** 128 + the signal's number, as shells tell it. */
const interruptions: Readonly<Partial<Record<NodeJS.Signals, Interruption>>> = {
  SIGINT: { exitCode: 130 },
  SIGTERM: { exitCode: 143 },
};

/** Nobody reads stdout any more ("causeway events --watch | head -1"): the work is done, not failed. */
const readerGone: Interruption = { exitCode: 0 };

/** The process's streams and signals. A second SIGINT ends the process at once. */
export function openTerminal(of: NodeJS.Process): Terminal {
  const abort = new AbortController();
  for (const [signal, interruption] of Object.entries(interruptions)) {
    of.once(signal, () => abort.abort(interruption));
  }
  return {
    stdout: openOutput(of.stdout, of.env, () => abort.abort(readerGone)),
    stderr: openOutput(of.stderr, of.env, () => undefined),
    signal: abort.signal,
  };
}

function openOutput(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv, onGone: () => void): Output {
  let gone = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    gone = true;
    onGone();
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
