import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { createKernel, NetnsLock } from '@causeway/datapath/io';
import { identityDirectory } from '@causeway/identity/io';
import { DirectoryLock, makeDirectory } from '@causeway/runtime/io';
import { Command, Option } from 'commander';
import { claimHost, hostLock } from '../host/exclusive.ts';
import { resetHost } from '../host/reset.ts';
import { checkCapabilities } from './capabilities.ts';
import { DirectoryFiles } from './directory-files.ts';
import { keyDirectory } from './secret-key-file.ts';

interface Options {
  readonly dataDir: string;
  readonly socket: string;
}

/**
 * `causeway-agent --reset`: needs to know where the agent kept its files. Accepts the agent's other settings, and does
 * not require them.
 */
export function resetCommand(): Command {
  return new Command('causeway-agent')
    .description('Removes Causeway from this host. The agent must not be running.')
    .option('--reset')
    .addOption(
      new Option('--data-dir <directory>', 'data directory of the agent, with its identity and ledger')
        .env('CAUSEWAY_DATA_DIR')
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--socket <path>', 'unix socket that the agent served')
        .env('CAUSEWAY_SOCKET')
        .default('/run/causeway/agent.sock'),
    )
    .allowUnknownOption()
    .allowExcessArguments()
    .action(reset);
}

async function reset({ dataDir, socket }: Options): Promise<void> {
  await checkCapabilities();
  // The lock needs the directory, so a missing directory is made. It is removed with the rest.
  await makeDirectory(dataDir, 0o700);
  const release = await claimHost({ host: new NetnsLock(hostLock), dataDir: new DirectoryLock(dataDir) }, { dataDir });
  const kernel = createKernel();
  const files = new DirectoryFiles(dataDir);
  const tell = (line: string): unknown => process.stdout.write(`${line}\n`);
  const isClean = await resetHost({ kernel, files, tell });
  const identity = identityDirectory(dataDir);
  if (existsSync(identity)) {
    await rm(identity, { recursive: true });
    tell(`removed ${identity}: to come back, this host must join again`);
  }
  const keys = keyDirectory(socket);
  if (isClean && existsSync(keys)) {
    await rm(keys, { recursive: true });
    tell(`removed ${keys}`);
  }
  kernel.close();
  release();
  await rm(socket, { force: true });
  // The directory stays when it contains other files.
  await rmdir(dataDir).catch(() => undefined);
  if (!isClean) process.exitCode = 1;
}
