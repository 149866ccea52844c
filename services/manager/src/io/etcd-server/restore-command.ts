import { parseName, unwrap } from '@causeway/model';
import { Command, Option } from 'commander';
import { type RestoreParts, restoreBackup } from './restore.ts';

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
      const { header, epoch } = await restoreBackup(parts, settings);
      const made = new Date(header.time).toISOString();
      process.stdout.write(
        `restored cluster ${header.clusterId} as of ${made}, revision ${header.revision}; its epoch is ${epoch} from now on\n`,
      );
    });
}
