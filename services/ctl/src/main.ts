#!/usr/bin/env node
import process from 'node:process';
import { machineCommands } from './io/machine-commands.ts';
import { systemContext } from './io/system-context.ts';
import { run } from './run.ts';

process.exitCode = await run(process.argv.slice(2), systemContext(process), machineCommands);
