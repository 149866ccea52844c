import { isCausewayError } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import { Argument, Command } from 'commander';
import type { Clients } from '../clients.ts';
import { type Candidate, type Candidates, candidatesFor } from '../completion/candidates.ts';
import type { Context } from '../context.ts';
import { withHostSettings } from '../host-settings.ts';
import { isTypable, visible } from '../render/visible.ts';
import { readSettings, settingOptions, type Uses } from '../settings.ts';

/** A person is waiting for the completion. */
const patience = seconds(1);

const uses: Uses = ['managers'];

/** Hidden command that completion scripts call. Never fails: without an answer there are no candidates. */
export function complete(context: Context, program: Command): Command {
  const built = new Command('__complete').addArgument(new Argument('[words...]'));
  for (const option of settingOptions(uses)) built.addOption(option);
  return built.action(async (words: string[]) => {
    const settings = await withHostSettings(readSettings(built, uses), { socket: false }, context);
    const clients = context.connect({ ...settings, timeout: patience }, context.signal);
    try {
      context.stdout.write(await answer(program, words, clients));
    } finally {
      clients.close();
    }
  });
}

async function answer(program: Command, words: readonly string[], clients: Clients): Promise<string> {
  const candidates = candidatesFor(program, words);
  if (candidates.kind === 'files') return ':files\n';
  const all = candidates.kind === 'words' ? candidates.words : await found(candidates, clients);
  return (
    all
      // A word that cannot be typed is no completion.
      .filter(({ word }) => word.startsWith(words.at(-1) ?? '') && isTypable(word))
      .map(({ word, help }) => `${word}\t${visible(help)}\n`)
      .join('')
  );
}

async function found(
  candidates: Extract<Candidates, { kind: 'names' | 'found' }>,
  clients: Clients,
): Promise<readonly Candidate[]> {
  try {
    if (candidates.kind === 'names') return await candidates.names(clients.managers);
    return await candidates.source({ ...candidates.asked, clients });
  } catch (error) {
    if (isCausewayError(error)) return [];
    throw error;
  }
}
