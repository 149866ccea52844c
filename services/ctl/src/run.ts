import { isCausewayError } from '@causeway/model';
import type { CommandBuilder } from './command.ts';
import type { Context, Interruption } from './context.ts';
import { exitCodeOf, explainFailure, type Failure } from './failure.ts';
import { createProgram } from './program.ts';
import { renderJson } from './render/json.ts';
import { paint } from './render/paint.ts';
import { visible, visibleData } from './render/visible.ts';

/**
 * Runs one command line (without the program's own name) and returns the exit code. Failures are printed, never thrown.
 */
export async function run(
  words: readonly string[],
  context: Context,
  more: readonly CommandBuilder[] = [],
): Promise<number> {
  try {
    await createProgram(context, more).parseAsync(words, { from: 'user' });
    return interrupted(context) ?? context.exitCode;
  } catch (thrown) {
    const failure = explainFailure(thrown);
    const code = interrupted(context);
    if (code !== undefined) return code;
    printFailure(failure, context, words);
    return exitCodeOf(failure);
  }
}

/** The exit code after a signal. What happens after the signal is not reported as an error. */
function interrupted(context: Context): number | undefined {
  return context.signal.aborted ? (context.signal.reason as Interruption).exitCode : undefined;
}

/**
 * Prints one line for people; after it a hint, if there is one; with --debug the causes; and with -o json a last line for
 * programs.
 */
function printFailure(failure: Failure, { stderr }: Context, words: readonly string[]): void {
  if (failure.kind !== 'error') return;
  const { error, hint } = failure;
  stderr.write(`${paint('causeway:', 'bad', stderr.colour)} ${visible(error.message.replaceAll('\n', ' '))}\n`);
  if (hint !== undefined) stderr.write(`${paint(`  ${hint}`, 'dim', stderr.colour)}\n`);
  if (wantsDebug(words)) for (const line of causesOf(error)) stderr.write(`  ${visible(line)}\n`);
  if (!wantsJson(words)) return;
  const { code, message, data } = error;
  stderr.write(`${visibleData(renderJson({ error: { code, message, data } }))}\n`);
}

/** The error and its causes, the outermost first: "timed-out {…}: no answer …". */
function causesOf(error: unknown): readonly string[] {
  const lines: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) {
    const what = isCausewayError(at) ? `${at.code} ${renderJson(at.data)}` : at.name;
    lines.push(`${lines.length === 0 ? 'error' : 'because of'} ${what}: ${at.message.replaceAll('\n', ' ')}`);
  }
  return lines;
}

function wantsDebug(words: readonly string[]): boolean {
  return ownWords(words).some((word) => word === '--debug' || word === '-v');
}

/** Looks at the words themselves, because a line that does not parse has an output format too. */
function wantsJson(words: readonly string[]): boolean {
  const own = ownWords(words);
  return own.some(
    (word, i) =>
      word === '--output=json' ||
      word === '-ojson' ||
      (word === 'json' && (own[i - 1] === '-o' || own[i - 1] === '--output')),
  );
}

/** The words after "--" belong to another program. */
function ownWords(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--');
  return end < 0 ? words : words.slice(0, end);
}
