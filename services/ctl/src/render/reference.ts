import type { Argument, Command, Option } from 'commander';
import { Verb } from '../command.ts';
import { exitCodeMeaning } from '../exit-codes.ts';

/** docs/cli.md: every visible command of the program, in Markdown. */
export function renderReference(program: Command): string {
  const sections = [introduction(program), ...leaves(program).map((leaf) => section(leaf))];
  return `${sections.join('\n\n')}\n`;
}

function introduction(program: Command): string {
  const codes = Object.entries(exitCodeMeaning).map(([code, meaning]) => `| ${code} | ${meaning} |`);
  const index = leaves(program).map((leaf) => `| [\`${pathOf(leaf)}\`](#${anchor(leaf)}) | ${leaf.summary()} |`);
  const nouns = program.commands.filter((noun) => noun.aliases().length > 0);
  return [
    '# causeway: reference',
    '<!-- Printed from the commands by tools/docs.mjs: change those, not this. -->',
    program.description(),
    'Data goes to stdout, everything else to stderr. These options may stand before the noun or after the verb:',
    optionTable(visibleOptions(program)),
    'The addresses of the managers come from the first of these that is set: `--managers`; `CAUSEWAY_MANAGERS`; those of the context;\n' +
      '`CAUSEWAY_MANAGERS` in `/etc/causeway/agent.env` or `manager.env`; the manager that the agent of this host has a session with; `CAUSEWAY_LISTEN` in\n' +
      "`manager.env`. The agent's socket: `--socket`; `CAUSEWAY_SOCKET`; the same in `agent.env`.",
    'The credential of the operator is in the directory `~/.config/causeway/CONTEXT` (`identity.pem`, `ca.pem`). The context is the first of\n' +
      'these that is set: `--context`; `CAUSEWAY_CONTEXT`; the file `current` beside the contexts; the only context. A value with a `/` is a\n' +
      'directory. A manager of another cluster than that of the credential is not trusted: another manager is asked, and when there is none, the\n' +
      "error names that manager's cluster (`cluster-mismatch`, exit 2). Commands that ask only the agent of this host need no credential.",
    '`-o json` prints one value: an object, or an array for a list. Each field has one type whatever its size: revisions are numbers, counts of addresses (`ipam show`) are strings. A value that does not exist is ' +
      '`null`. An error is one line `causeway: MESSAGE` on stderr; with `-o json` the last line of stderr is ' +
      '`{"error":{"code","message","data"}}`.',
    '`-o yaml` prints the same value: a string that a reader of YAML 1.1 or of 1.2 would take for something else is quoted.\n' +
      'Control characters in text from other hosts, such as ESC in the name of an interface, are escaped (`\\e`, `\\n`, `\\u009b`).',
    `| exit code | meaning |\n|---|---|\n${codes.join('\n')}`,
    `| command | |\n|---|---|\n${index.join('\n')}`,
    `Nouns have other names too: ${nouns.map((noun) => `\`${noun.name()}\` is ${aliasList(noun)}`).join('; ')}.`,
  ].join('\n\n');
}

function section(command: Command): string {
  const parts = [`## ${pathOf(command)}`, code([`${pathOf(command)} ${command.usage()}`]), command.description()];
  if (command.aliases().length > 0) parts.push(`Also called ${aliasList(command)}.`);
  if (command.registeredArguments.length > 0) parts.push(argumentTable(command.registeredArguments));
  const options = visibleOptions(command);
  if (options.length > 0) parts.push(optionTable(options));
  if (command instanceof Verb && command.examples.length > 0) parts.push(code(command.examples));
  return parts.join('\n\n');
}

function aliasList(command: Command): string {
  return command
    .aliases()
    .map((alias) => `\`${alias}\``)
    .join(', ');
}

function argumentTable(all: readonly Argument[]): string {
  const rows = all.map((argument) => {
    const shown = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`;
    return `| \`${shown}\` | ${argument.description}${choices(argument.argChoices)} |`;
  });
  return `| argument | |\n|---|---|\n${rows.join('\n')}`;
}

function optionTable(all: readonly Option[]): string {
  const rows = all.map((option) => {
    const cells = [`\`${option.flags}\``, `${option.description}${choices(option.argChoices)}`, byDefault(option)];
    return `| ${[...cells, option.envVar === undefined ? '' : `\`${option.envVar}\``].join(' | ')} |`;
  });
  return `| option | | default | environment |\n|---|---|---|---|\n${rows.join('\n')}`;
}

function byDefault(option: Option): string {
  if (option.mandatory) return 'required';
  return option.defaultValueDescription ?? (option.defaultValue === undefined ? '' : String(option.defaultValue));
}

function choices(of: readonly string[] | undefined): string {
  return of === undefined ? '' : `: ${of.map((choice) => `\`${choice}\``).join(', ')}`;
}

function visibleOptions(command: Command): Option[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter((option) => option.long !== '--help' && option.long !== '--version');
}

function leaves(command: Command): Command[] {
  const children = command.createHelp().visibleCommands(command);
  return children.length === 0 ? [command] : children.flatMap(leaves);
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** GitHub's anchor of the heading. */
function anchor(command: Command): string {
  return pathOf(command).replaceAll(' ', '-');
}

function code(lines: readonly string[]): string {
  return ['```sh', ...lines, '```'].join('\n');
}
