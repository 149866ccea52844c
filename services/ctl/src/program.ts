import { Command } from 'commander';
import { addAliases } from './aliases.ts';
import type { CommandBuilder } from './command.ts';
import { group } from './command.ts';
import { ca } from './commands/ca.ts';
import { complete } from './commands/complete.ts';
import { completion } from './commands/completion.ts';
import { crypto } from './commands/crypto.ts';
import { doctor } from './commands/doctor.ts';
import { endpointAttach } from './commands/endpoint-attach.ts';
import { endpointDetach } from './commands/endpoint-detach.ts';
import { endpointWait } from './commands/endpoint-wait.ts';
import { events } from './commands/events.ts';
import { help } from './commands/help.ts';
import { ipamCheck } from './commands/ipam-check.ts';
import { ipamHistory } from './commands/ipam-history.ts';
import { ipamRelease } from './commands/ipam-release.ts';
import { ipamReserve } from './commands/ipam-reserve.ts';
import { ipamShow } from './commands/ipam-show.ts';
import { managerList, managerNames } from './commands/manager-list.ts';
import { managerRemove } from './commands/manager-remove.ts';
import { managerShow } from './commands/manager-show.ts';
import { networkCreate } from './commands/network-create.ts';
import { networkDelete } from './commands/network-delete.ts';
import { networkUpdate } from './commands/network-update.ts';
import { nodeDrain, nodeUndrain } from './commands/node-drain.ts';
import { nodeRemove } from './commands/node-remove.ts';
import { nodeToken } from './commands/node-token.ts';
import { groupOf, listOf, showOf } from './commands/of-noun.ts';
import { operator } from './commands/operator.ts';
import { status } from './commands/status.ts';
import { verify } from './commands/verify.ts';
import { version } from './commands/version.ts';
import type { Context } from './context.ts';
import { throwUsage } from './failure.ts';
import { endpoint } from './nouns/endpoint.ts';
import { network } from './nouns/network.ts';
import { node } from './nouns/node.ts';
import { allSettings, settingOptions } from './settings.ts';

const commands: readonly CommandBuilder[] = [
  groupOf(network, 'container networks', [
    networkCreate,
    listOf(network),
    showOf(network),
    networkUpdate,
    networkDelete,
  ]),
  groupOf(endpoint, 'interfaces of containers on networks', [
    endpointAttach,
    endpointDetach,
    listOf(endpoint),
    showOf(endpoint),
    endpointWait,
  ]),
  group('ipam', 'addresses of networks', [ipamShow, ipamReserve, ipamRelease, ipamCheck, ipamHistory]),
  groupOf(node, 'hosts', [listOf(node), showOf(node), nodeDrain, nodeUndrain, nodeRemove, nodeToken]),
  operator,
  ca,
  crypto,
  group('manager', 'the cluster’s managers', [managerList, managerShow, managerRemove], managerNames),
  status,
  doctor,
  verify,
  events,
  version,
  completion,
];

/** The whole command tree in the given context. `more`: commands from outside this folder. */
export function createProgram(context: Context, more: readonly CommandBuilder[] = []): Command {
  const program = new Command('causeway')
    .description('Container networks across hosts: create them, attach containers, and verify every host.')
    .version(context.version, '-V, --version', 'print the version')
    // In "lab up --managers 3", the option is not the global setting of that name: what follows a noun belongs to the
    // noun.
    .enablePositionalOptions();
  for (const option of settingOptions(allSettings)) program.addOption(option);
  for (const build of [...commands, ...more]) program.addCommand(build(context));
  program.addCommand(help(program));
  addAliases(program);
  program.addCommand(complete(context, program), { hidden: true });
  shape(program, context);
  return program;
}

/** Output goes through the context. Wrong usage becomes an error that knows its command. */
function shape(command: Command, context: Context): void {
  command.configureOutput({
    writeOut: (text) => context.stdout.write(text),
    writeErr: (text) => context.stderr.write(text),
    outputError: () => undefined,
    getOutHasColors: () => context.stdout.colour,
    getErrHasColors: () => context.stderr.colour,
    getOutHelpWidth: () => 110,
    getErrHelpWidth: () => 110,
  });
  command.exitOverride((error) => throwUsage(command, error));
  command.helpCommand(false);
  for (const child of command.commands) shape(child, context);
}
