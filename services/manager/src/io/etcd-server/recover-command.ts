import { formatTime } from '@causeway/identity';
import { identityDirectory, readCredential } from '@causeway/identity/io';
import { parseName, unwrap } from '@causeway/model';
import { Command, Option } from 'commander';
import type { ExternalSigner } from '../../cluster/ca/external-signer.ts';
import { needsRecovery } from '../own-credential.ts';
import { type RecoverParts, recoverManager, recoverOperator } from '../recover.ts';
import { contextDirectory } from './init-command.ts';

interface Options {
  readonly dataDir: string;
  readonly operator: string;
  readonly operatorDir?: string;
  readonly unlockKeyFile?: string;
  readonly caProgram?: string;
}

type Parts = Omit<RecoverParts, 'external'> & { readonly caProgram: (path: string) => ExternalSigner };

/** `causeway-manager recover`: run on a manager's host when certificates have expired that no member can renew any more. */
export function recoverCommand({ caProgram, ...parts }: Parts): Command {
  return new Command('causeway-manager recover')
    .description(
      'Gives an operator a new certificate with what the data directory has of the CA, and the manager, if its own has expired. For a cluster whose ' +
        'managers were stopped, or whose operators were away, for longer than certificates live. The manager need not run. The certificates are valid for 45 minutes; the ' +
        'manager and the first command of the operator renew them.',
    )
    .addOption(
      new Option('--data-dir <dir>', 'data directory of the manager').env('CAUSEWAY_DATA_DIR').makeOptionMandatory(),
    )
    .addOption(new Option('--operator <name>', 'name of the operator').default('admin'))
    .addOption(
      new Option(
        '--operator-dir <dir>',
        'where the operator’s certificate and key go; when absent ~/.config/causeway/CLUSTER',
      ),
    )
    .addOption(new Option('--unlock-key-file <file>', 'file of mode 600 with the unlock key, if autolock is on'))
    .addOption(
      new Option('--ca-program <path>', 'as for the manager, if the CA is a program').env('CAUSEWAY_CA_PROGRAM'),
    )
    .action(async ({ dataDir, operator, operatorDir, unlockKeyFile, caProgram: program }: Options) => {
      const settings = { dataDir, ...(unlockKeyFile !== undefined && { unlockKeyFile }) };
      const all = { ...parts, ...(program !== undefined && { external: caProgram(program) }) };
      const name = unwrap(parseName(operator, '--operator'));
      const { directory, credential } = await recoverOperator(
        all,
        settings,
        name,
        (c) => operatorDir ?? contextDirectory(c),
      );
      const { chain } = await readCredential(identityDirectory(dataDir));
      const isExpired = needsRecovery(chain[0], parts.clock.wall());
      if (isExpired) await recoverManager(all, settings);
      const until = formatTime(credential.chain[0].notAfter);
      process.stdout.write(
        `the operator ${name} has a new certificate (${directory}), valid until ${until}: run a command of causeway before then, which renews it\n` +
          (isExpired ? 'the manager has one, too: start the manager, or restart it\n' : ''),
      );
    });
}
