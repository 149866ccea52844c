import { CausewayError } from '@causeway/model';
import { explainMissingOption, version } from '@causeway/runtime';
import { Command, CommanderError, Option } from 'commander';
import { type Options, optionSpecs } from '../../config/config.ts';

export function readOptions(argv: readonly string[]): Options {
  const command = new Command('causeway-manager')
    .description('Keeps the networks of a cluster, and distributes them to its hosts.')
    .version(version)
    .addHelpText(
      'after',
      '\ncauseway-manager init: begin a new cluster; causeway-manager restore: begin a cluster from a backup; causeway-manager recover: new certificates when all have expired. Each has --help.',
    )
    .allowExcessArguments(false)
    .configureOutput({ outputError: () => undefined })
    .exitOverride();
  for (const spec of optionSpecs) {
    const option = new Option(spec.flag, spec.help).env(spec.variable);
    if (spec.default !== undefined) option.default(spec.default);
    if (spec.default === undefined && spec.optional === undefined) option.makeOptionMandatory();
    command.addOption(option);
  }
  try {
    return command.parse(argv).opts<Options & Record<string, string>>();
  } catch (error) {
    if (!(error instanceof CommanderError) || error.exitCode === 0) throw error;
    const message = explainMissingOption(error.message.replace(/^error: /, ''), command.options);
    throw new CausewayError('invalid-argument', `${message}; see --help`);
  }
}
