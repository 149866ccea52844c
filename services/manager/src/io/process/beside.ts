import type { Log } from '@causeway/runtime';
import { createLog, cryptoRandom, systemClock } from '@causeway/runtime/io';
import { type Command, CommanderError } from 'commander';
import { ExternalSigner } from '../../cluster/ca/external-signer.ts';
import { CaProgram } from '../ca-program.ts';
import { initCommand } from '../etcd-server/init-command.ts';
import { recoverCommand } from '../etcd-server/recover-command.ts';
import { restoreCommand } from '../etcd-server/restore-command.ts';
import { exitUnusable, tellFailure } from './exit.ts';

/** Commands on the data directory of a manager that does not run. */
export const beside: Readonly<Record<string, (log: Log) => Command>> = {
  init: (log) => initCommand({ clock: systemClock, random: cryptoRandom, caProgram: signers(log) }),
  recover: (log) => recoverCommand({ clock: systemClock, random: cryptoRandom, log, caProgram: signers(log) }),
  restore: (log) => restoreCommand({ clock: systemClock, random: cryptoRandom, log }),
};

/** External CAs, by the path of their program. */
export function signers(log: Log): (path: string) => ExternalSigner {
  return (path) => new ExternalSigner({ ca: new CaProgram(path, { log }), clock: systemClock, log });
}

export async function runBeside(name: string, words: readonly string[]): Promise<number> {
  const log = createLog({ level: 'warn', format: 'text' }, { process: 'manager' });
  try {
    await beside[name]?.(log).exitOverride().parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitUnusable;
    return tellFailure(error);
  }
}
