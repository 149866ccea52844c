import { userInfo } from 'node:os';
import process from 'node:process';
import { grpcExit, grpcKnock } from '@causeway/enrollment/io';
import { createKey } from '@causeway/identity/io';
import { machineLabs } from '@causeway/lab/io';
import { systemClock } from '@causeway/runtime/io';
import { backupCommand } from '../backup/command.ts';
import { machineFiles } from '../backup/io/machine-files.ts';
import type { CommandBuilder } from '../command.ts';
import { contextCommand } from '../contexts/command.ts';
import { ContextDirectory, contextsDirectory } from '../contexts/io/context-directory.ts';
import { initCommand } from '../joining/init.ts';
import { MachineHost } from '../joining/io/machine-host.ts';
import { joinCommand } from '../joining/join.ts';
import { leaveCommand } from '../joining/leave.ts';
import { labCommand } from '../lab/command.ts';

const hostAt = (root: string) => new MachineHost(root);
const contexts = new ContextDirectory(contextsDirectory(process.env));
const knock = grpcKnock(systemClock);

/** Commands that work on this machine instead of asking a server. */
export const machineCommands: readonly CommandBuilder[] = [
  initCommand({ hostAt, contexts }),
  joinCommand({ hostAt, knock, createKey }),
  leaveCommand({ hostAt, open: grpcExit(systemClock) }),
  contextCommand({ contexts, host: hostAt('/'), knock, createKey, user: userName() }),
  labCommand(machineLabs),
  backupCommand(machineFiles),
];

/** A user that the system does not know has only a number. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `user-${process.getuid?.()}`;
  }
}
