import { CausewayError } from '@causeway/model';
import type { BackupHeader, CreateBackupResponse } from '@causeway/proto/gen/causeway/v1/cluster_service.js';
import { Argument, Command, Option } from 'commander';
import type { Answer } from '../answer.ts';
import { type CommandBuilder, command, Verb } from '../command.ts';
import { isoTime } from '../render/time.ts';
import type { BackupFiles } from './files.ts';

/** `causeway backup`: writes the store to a file, and makes a store from a file. */
export function backupCommand(files: BackupFiles): CommandBuilder {
  return (context) => {
    const summary = 'back up the cluster, and restore it';
    const built = new Command('backup').summary(summary).description(summary);
    for (const verb of [create(files), restore(files)]) built.addCommand(verb(context));
    return built;
  };
}

function create(files: BackupFiles): CommandBuilder {
  return command<{ readonly file: string }>({
    name: 'create',
    summary: 'write the store of the running cluster to a file',
    description: 'The file holds everything the managers know. It is written whole or not at all.',
    arguments: [new Argument('<file>', 'file to write; it must not exist yet')],
    uses: ['managers', 'timeout', 'output'],
    examples: ['causeway backup create /var/backups/causeway-2026-11-24'],
    progress: 'writing the backup',
    isUnbounded: true,
    async run({ input: { file }, clients }) {
      const seen: { header?: BackupHeader } = {};
      const size = await files.write(file, chunks(clients.managers.createBackup({}), seen));
      if (seen.header === undefined) throw new CausewayError('internal', 'the manager sent no header');
      return backupAnswer(file, size, seen.header);
    },
  });
}

/** Runs on the machine of the future manager. Its exit status is that of `causeway-manager restore`. */
function restore(files: BackupFiles): CommandBuilder {
  return (context) => {
    const summary = 'create the data directory of a new cluster with one manager from a backup';
    const built = new Verb('restore', [
      'causeway backup restore /var/backups/causeway --data-dir /var/lib/causeway/manager --name m1',
    ])
      .summary(summary)
      .description(`${summary}

Stop all managers first. Afterwards start this one, then the others, which join it with empty data directories. Agents keep their
containers connected and follow. docs/operations.md, "Backup", has every step.`)
      .addArgument(new Argument('<file>', 'made by "causeway backup create"'))
      .addOption(
        new Option(
          '--data-dir <dir>',
          'data directory of the new manager; it must hold no etcd yet',
        ).makeOptionMandatory(),
      )
      .addOption(new Option('--name <name>', 'name of the new manager').makeOptionMandatory());
    return built.action(async (file: string, { dataDir, name }: { dataDir: string; name: string }) => {
      context.exitCode = await files.restore([file, '--data-dir', dataDir, '--name', name]);
    });
  };
}

async function* chunks(
  parts: AsyncIterable<CreateBackupResponse>,
  seen: { header?: BackupHeader },
): AsyncGenerator<Uint8Array> {
  for await (const { header, chunk } of parts) {
    if (header !== undefined) seen.header = header;
    if (chunk.length > 0) yield chunk;
  }
}

function backupAnswer(file: string, size: number, header: BackupHeader): Answer {
  const { clusterId, epoch, revision, schema, version, timeMs } = header;
  const text = `cluster ${clusterId}, epoch ${epoch}, revision ${revision}: ${size} bytes in ${file}`;
  return {
    value: { file, size, clusterId, epoch, revision, schema, version, time: isoTime(timeMs) },
    names: [file],
    table: { kind: 'line', text },
  };
}
