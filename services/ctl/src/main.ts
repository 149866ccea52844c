#!/usr/bin/env node
import { limitConnects, quietGrpc } from '@causeway/proto/io';
import { leave } from './io/leave.ts';
import { machineCommands } from './io/machine-commands.ts';
import { systemContext } from './io/system-context.ts';
import { run } from './run.ts';

limitConnects();
quietGrpc();
const context = systemContext(process);
await leave(process, await run(process.argv.slice(2), context, machineCommands), context);
