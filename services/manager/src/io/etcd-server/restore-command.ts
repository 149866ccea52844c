import { formatTime } from '@causeway/identity';
import { parseName, unwrap } from '@causeway/model';
import { Command, Option } from 'commander';
import { type Restored, type RestoreParts, restoreBackup } from './restore.ts';

interface Options {
  readonly dataDir: string;
  readonly name: string;
}

/** `causeway-manager restore FILE`: run on the host whose manager will begin the cluster again. */
export function restoreCommand(parts: RestoreParts): Command {
  return new Command('causeway-manager restore')
    .description(
      'Makes the data of a cluster with one manager out of a backup ("causeway backup create"). Stop all managers before, start this one after, and let the others join it with empty data directories.',
    )
    .argument('<file>', 'the backup')
    .addOption(
      new Option('--data-dir <dir>', 'data directory of the new manager; it must hold no etcd yet')
        .env('CAUSEWAY_DATA_DIR')
        .makeOptionMandatory(),
    )
    .addOption(new Option('--name <name>', 'name of the new manager').env('CAUSEWAY_NAME').makeOptionMandatory())
    .action(async (file: string, { dataDir, name }: Options) => {
      const settings = { file, dataDir, name: unwrap(parseName(name, '--name')) };
      process.stdout.write(`${restoredText(await restoreBackup(parts, settings)).join('\n')}\n`);
    });
}

/** What an operator must know: a backup brings back the access of those from whom it was taken since. */
export function restoredText({ header, epoch, tokens, removals }: Restored): readonly string[] {
  const made = formatTime(header.time);
  const gone = removals.filter(({ hasJoined }) => hasJoined !== true);
  return [
    `restored cluster ${header.clusterId} as of ${made}, revision ${header.revision}; its epoch is ${epoch} from now on`,
    `revoked ${tokens} join tokens of the backup: create new ones`,
    gone.length === 0
      ? 'this directory knows of no removal since the backup'
      : `removed again what was removed since the backup: ${gone.map(({ role, id, reason }) => `${role} ${id} (${reason})`).join('; ')}`,
    `WARNING: hosts, managers and operators that were removed or revoked after ${made} and are not named here have access again, and the CA is that of the backup. Remove them again ("causeway node remove", "causeway manager remove", "causeway operator revoke"). If one of them is not trusted, replace the CA, too ("causeway ca rotate").`,
  ];
}
