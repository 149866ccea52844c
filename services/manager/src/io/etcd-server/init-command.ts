import { access, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CausewayError } from '@causeway/model';
import { Command, Option } from 'commander';
import { readClusterRecord } from '../cluster-record.ts';
import { prepareDataDir } from '../data-dir.ts';
import { initMarkOf } from './first-start.ts';
import { etcdDirectory } from './flags.ts';

/** `causeway-manager init`: run once, on the host of a new cluster's first manager. */
export function initCommand(): Command {
  return new Command('causeway-manager init')
    .description(
      'Prepares a data directory: the manager that starts with it founds a new cluster, if there is no cluster to join. ' +
        'Use it once, for the first manager of a new cluster. A manager that has lost its data joins the others with --join instead.',
    )
    .addOption(
      new Option('--data-dir <dir>', 'data directory of that manager; it must be empty or absent')
        .env('CAUSEWAY_DATA_DIR')
        .makeOptionMandatory(),
    )
    .action(async ({ dataDir }: { readonly dataDir: string }) => {
      await allowFounding(dataDir);
      process.stdout.write(
        `the manager that starts with --data-dir ${dataDir} founds a new cluster, if there is no cluster to join\n`,
      );
    });
}

/**
 * Files that do not count as content: those of an interrupted start, the lock's record of its process, and what a new
 * file system has.
 */
const harmless = /^(etcd(\..*)?|holder\.pid|lost\+found)$/;
/** Files named in the error; of further files only the number. */
const mostNames = 5;

/**
 * @throws CausewayError invalid-argument: the directory holds a member of a cluster or something else, or cannot be
 * written
 */
export async function allowFounding(dataDir: string): Promise<void> {
  await prepareDataDir(dataDir);
  const taken = await access(join(etcdDirectory(dataDir), 'member')).then(
    () => true,
    () => false,
  );
  if (taken) {
    const message = `--data-dir ${dataDir}: it holds the data of an etcd member: start the manager to continue with them; for a new cluster name an empty directory`;
    throw new CausewayError('invalid-argument', message, { field: '--data-dir', value: dataDir });
  }
  const belongsTo = await readClusterRecord(dataDir);
  if (belongsTo !== undefined) {
    const message =
      `--data-dir ${dataDir}: it belongs to cluster ${belongsTo.clusterId}, whose etcd data were lost: start the manager with --join ` +
      'to join that cluster again; for a new cluster name an empty directory';
    throw new CausewayError('invalid-argument', message, { field: '--data-dir', value: dataDir });
  }
  const others = (await readdir(dataDir)).filter((name) => !harmless.test(name)).sort();
  if (others.length > 0) throw inUse(dataDir, others);
  await writeFile(initMarkOf(dataDir), '');
}

function inUse(dataDir: string, others: readonly string[]): CausewayError {
  const more = others.length > mostNames ? ` and ${others.length - mostNames} more` : '';
  const message = `--data-dir ${dataDir}: it holds ${others.slice(0, mostNames).join(', ')}${more}, which are not the files of a manager: name an empty directory`;
  return new CausewayError('invalid-argument', message, { field: '--data-dir', value: dataDir });
}
