import { machineLabs } from '@causeway/lab/io';
import { backupCommand } from '../backup/command.ts';
import { machineFiles } from '../backup/io/machine-files.ts';
import type { CommandBuilder } from '../command.ts';
import { labCommand } from '../lab/command.ts';

/** Commands that work on this machine instead of asking a server. */
export const machineCommands: readonly CommandBuilder[] = [labCommand(machineLabs), backupCommand(machineFiles)];
