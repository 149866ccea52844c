import { CausewayError, clip } from '@causeway/model';
import { type Duration, seconds } from '@causeway/runtime';
import { type Command, Option } from 'commander';
import type { ConnectionSettings } from './clients.ts';
import { parseDurationOf } from './parse.ts';

export const formats = ['table', 'wide', 'json', 'yaml', 'name'] as const;
export type Format = (typeof formats)[number];

/** Settings of every command, given before its noun or after its verb. */
export interface Settings extends ConnectionSettings {
  readonly output: Format;
  /** Whether a table has a line of titles above its rows. */
  readonly headers: boolean;
}

/**
 * The settings that a command uses. Its help offers no others. `output` includes the other settings for printing, `managers`
 * the credential for them.
 */
export type Uses = readonly Exclude<keyof Settings, 'headers' | 'context'>[];

const managerPort = 7443;

const options: { readonly [Name in keyof Required<Settings>]: () => Option } = {
  managers: () =>
    new Option('--managers <address,...>', `managers as HOST[:${managerPort}], in order of preference`)
      .env('CAUSEWAY_MANAGERS')
      .default([], "those of the context, or this host's")
      .argParser((text) => parseManagers(text)),
  context: () =>
    new Option('--context <name>', 'whose credential to use: a name in ~/.config/causeway, or a directory').env(
      'CAUSEWAY_CONTEXT',
    ),
  socket: () =>
    new Option('--socket <path>', "unix socket of this host's agent")
      .env('CAUSEWAY_SOCKET')
      .default('/run/causeway/agent.sock'),
  timeout: () =>
    new Option('--timeout <duration>', 'how long the command may take in all: 500ms, 10s, 2m')
      .default(seconds(10), '10s')
      .argParser(parseDurationOf('--timeout', '500ms, 10s or 2m')),
  output: () => new Option('-o, --output <format>', 'output format').choices(formats).default('table'),
  headers: () => new Option('--no-headers', 'print tables without column titles'),
};

const debug = () => new Option('-v, --debug', 'after an error, also print its code, data and cause');

const quiet = () => new Option('-q, --quiet', 'names only: as -o name').conflicts('output');

export const allSettings: Uses = ['managers', 'socket', 'timeout', 'output'];

export function settingOptions(uses: Uses): Option[] {
  return uses.flatMap((name) => {
    if (name === 'output') return [options.output(), quiet(), options.headers(), debug()];
    return name === 'managers' ? [options.managers(), options.context()] : [options[name]()];
  });
}

/** Precedence: option after the verb > option before the noun > environment > default. */
export function readSettings(command: Command, uses: Uses): Settings {
  const root = rootOf(command);
  const value = (name: keyof Settings): unknown => {
    const said = [command, root].find((level) => level.getOptionValueSource(name) === 'cli');
    return (said ?? (listens(name) ? command : root)).getOptionValue(name);
  };
  const listens = (name: keyof Settings): boolean => {
    if (name === 'headers') return uses.includes('output');
    return uses.includes(name === 'context' ? 'managers' : name);
  };
  const isQuiet = [command, root].some((level) => level.getOptionValue('quiet') === true);
  return {
    managers: value('managers') as readonly string[],
    context: value('context') as string | undefined,
    socket: value('socket') as string,
    timeout: value('timeout') as Duration,
    output: isQuiet ? 'name' : (value('output') as Format),
    headers: value('headers') as boolean,
  };
}

/** Whether a setting was given on the command line or in the environment. */
export function isSaid(command: Command, name: keyof Settings): boolean {
  return [command, rootOf(command)].some((level) => ['cli', 'env'].includes(level.getOptionValueSource(name) ?? ''));
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

/** `field`: what the text was given as. */
export function parseManagers(text: string, field = '--managers'): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => parseManager(part, field));
}

/** Adds brackets to a bare IPv6 address, and the usual port to a host without a port. */
function parseManager(text: string, field: string): string {
  const address = /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(text) ? `[${text}]` : text;
  const match = /^(\[[0-9a-fA-F:.%a-z]+\]|[A-Za-z0-9_.-]+)(?::(\d{1,5}))?$/.exec(address);
  const port = match?.[2] === undefined ? managerPort : Number(match[2]);
  if (match === null || port < 1 || port > 65_535) {
    throw new CausewayError('invalid-argument', `${field}: "${clip(text)}" is not HOST:PORT such as 10.0.0.1:7443`, {
      field,
      value: clip(text),
    });
  }
  return `${match[1]}:${port}`;
}
