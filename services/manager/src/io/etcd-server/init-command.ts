import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CausewayError } from '@causeway/model';
import { Command, Option } from 'commander';
import { readClusterRecord } from '../cluster-record.ts';
import { prepareDataDir } from '../data-dir.ts';
import { initMarkOf } from './first-start.ts';
import { etcdDirectory } from './flags.ts';

/** `causeway-manager init`: beside the servers, on the machine of a new cluster's first manager, once. */
export function initCommand(): Command {
  return new Command('causeway-manager init')
    .description(
      'Says that the manager that is started on this data directory next founds a cluster, if there is none to join. ' +
        'For the first manager of a new cluster, once; never for one that has lost its data, which joins the others with --join.',
    )
    .addOption(
      new Option('--data-dir <dir>', 'of that manager; it must hold no etcd yet')
        .env('CAUSEWAY_DATA_DIR')
        .makeOptionMandatory(),
    )
    .action(async ({ dataDir }: { readonly dataDir: string }) => {
      await allowFounding(dataDir);
      process.stdout.write(
        `the manager that is started on ${dataDir} next founds a cluster, if there is none to join\n`,
      );
    });
}

/** @throws CausewayError invalid-argument: it holds a member of a cluster, or cannot be written */
export async function allowFounding(dataDir: string): Promise<void> {
  await prepareDataDir(dataDir);
  const taken = await access(join(etcdDirectory(dataDir), 'member')).then(
    () => true,
    () => false,
  );
  if (taken) {
    const message = `--data-dir ${dataDir}: it holds a member of a cluster, which comes back by itself: start the manager; for a new cluster name an empty directory`;
    throw new CausewayError('invalid-argument', message, { field: '--data-dir', value: dataDir });
  }
  const belongsTo = await readClusterRecord(dataDir);
  if (belongsTo !== undefined) {
    const message =
      `--data-dir ${dataDir}: it belongs to cluster ${belongsTo.clusterId}, whose etcd data were lost: start the manager with --join, ` +
      'which takes it back; for a new cluster name an empty directory';
    throw new CausewayError('invalid-argument', message, { field: '--data-dir', value: dataDir });
  }
  await writeFile(initMarkOf(dataDir), '');
}
