import { Argument, type Command } from 'commander';
import { childNamed } from '../aliases.ts';
import { Verb } from '../command.ts';
import { unknownCommand } from '../failure.ts';

/** `causeway help network create`: what `causeway network create --help` prints. */
export function help(program: Command): Command {
  const summary = 'show the arguments and options of a command';
  return new Verb('help', ['causeway help', 'causeway help network', 'causeway help network create'])
    .summary(summary)
    .description(summary)
    .addArgument(new Argument('[command...]', 'noun, or noun and verb'))
    .action((words: readonly string[]) => {
      words.reduce((command, word) => childNamed(command, word) ?? unknownCommand(command, word), program).outputHelp();
    });
}
