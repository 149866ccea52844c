import { CausewayError, isCausewayError, messageOf } from '@causeway/model';
import { type Command, CommanderError } from 'commander';
import { exitCodeOfKind, exitCodes } from './exit-codes.ts';
import { nearest } from './suggest.ts';

/** How a command that has thrown ends. */
export type Failure =
  | { readonly kind: 'none' }
  | { readonly kind: 'usage-shown' }
  | { readonly kind: 'error'; readonly error: CausewayError; readonly hint: string | undefined };

/** Wrong usage that commander has found. The hint names the command whose help shows the right usage. */
class UsageError extends CausewayError {
  readonly hint: string;

  constructor(message: string, hint: string, usage: string) {
    super('invalid-argument', message, { usage });
    this.hint = hint;
  }
}

/** Turns commander's exit into an error. Help and version pass unchanged. */
export function throwUsage(command: Command, error: CommanderError): never {
  if (
    error.code === 'commander.help' ||
    error.code === 'commander.helpDisplayed' ||
    error.code === 'commander.version'
  ) {
    throw error;
  }
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const word = /^unknown command '(.*)'$/s.exec(message)?.[1];
  if (word !== undefined) unknownCommand(command, word);
  const meant = synonymIn(command, message) ?? /^\(Did you mean (.*)\?\)$/.exec(suggestion ?? '')?.[1];
  throw usage(command, message, meant, error.code.replace('commander.', ''));
}

/** The error about an unknown word, in commander's form. */
export function unknownCommand(command: Command, word: string): never {
  const names = command.commands.map((child) => child.name());
  const aliases = command.commands.flatMap((child) => child.aliases());
  const verbs = command.commands.flatMap((noun) => noun.commands.flatMap((verb) => [verb.name(), ...verb.aliases()]));
  if (verbs.includes(word))
    throw usage(command, `unknown command '${word}'`, `${pathOf(command)} NOUN ${word}`, 'unknownCommand');
  throw usage(command, `unknown command '${word}'`, nearest(word, names) ?? nearest(word, aliases), 'unknownCommand');
}

function usage(command: Command, message: string, meant: string | undefined, kind: string): UsageError {
  const guess = meant === undefined ? '' : `did you mean ${meant}? `;
  return new UsageError(message, `${guess}see: ${pathOf(command)} --help`, kind);
}

/** Options of other tools, and the options with the same meaning here. */
const synonyms: Readonly<Record<string, readonly string[]>> = {
  '--address': ['--ip'],
  '--mac': ['--ip'],
  '--namespace': ['--netns', '--network'],
  '--net': ['--network'],
  '--filter': ['--field'],
  '--format': ['--output'],
  '--json': ['--output'],
  '--yaml': ['--output'],
  '--follow': ['--watch'],
  '-f': ['--watch'],
  '--lines': ['--tail'],
  '--node': ['--host'],
  '--labels': ['--label', '--selector'],
  '--sort': ['--sort-by'],
  '--range': ['--ip-range', '--add-range'],
  '--cidr': ['--subnet', '--add-subnet'],
  '--prefix': ['--subnet', '--add-subnet'],
  '--interface': ['--ifname'],
  '--server': ['--managers'],
  '--verbose': ['--debug'],
};

function synonymIn(command: Command, message: string): string | undefined {
  const option = /^unknown option '(-[^'=]*)/.exec(message)?.[1];
  return synonyms[option ?? '']?.find((name) => command.options.some(({ long }) => long === name));
}

export function explainFailure(thrown: unknown): Failure {
  if (thrown instanceof CommanderError) return { kind: thrown.exitCode === 0 ? 'none' : 'usage-shown' };
  if (isCausewayError(thrown)) return { kind: 'error', error: thrown, hint: hintFor(thrown) };
  const message = messageOf(thrown);
  return { kind: 'error', error: new CausewayError('internal', message, {}, { cause: thrown }), hint: undefined };
}

/**
 * A change was given up because of `problem`. `seenBy`: the command that shows whether the change was made before that.
 */
export function outcomeUnknown(problem: CausewayError, seenBy: string | undefined): CausewayError {
  if (seenBy === undefined) return problem;
  const message = `${problem.message}; whether an earlier try made the change is unknown; to find out: ${seenBy}`;
  return new CausewayError(problem.code, message, problem.data, { cause: problem });
}

export function exitCodeOf(failure: Failure): number {
  if (failure.kind === 'none') return exitCodes.ok;
  return failure.kind === 'usage-shown' ? exitCodes.usage : exitCodeOfKind[failure.error.kind];
}

function hintFor(error: CausewayError): string | undefined {
  if (error instanceof UsageError) return error.hint;
  if (error.code === 'invalid-argument' && error.data['field'] === '--managers' && !('value' in error.data)) {
    return 'name a manager with --managers HOST:7443, or set CAUSEWAY_MANAGERS. causeway finds the managers by itself on a host whose agent has a session, or where /etc/causeway/agent.env sets CAUSEWAY_MANAGERS, and for a user who has a context';
  }
  if (error.data['field'] === '--socket') {
    return 'this command asks causeway-agent on this host, as root: does it run here? --socket or CAUSEWAY_SOCKET names its socket';
  }
  // The manager that answered could not reach the leader. That manager runs, so the caller's list of managers is right.
  if (error.code === 'manager-unavailable' && 'address' in error.data) {
    return 'causeway status shows which managers and etcd members are down';
  }
  const meant = error.data['didYouMean'];
  if (meant !== undefined) return `did you mean ${meant}?`;
  return hints[error.code];
}

const hints: Readonly<Partial<Record<CausewayError['code'], string>>> = {
  'manager-unavailable':
    'does causeway-manager run there? --managers or CAUSEWAY_MANAGERS names the addresses to try; causeway status --local asks the agent of this host',
  'agent-unavailable': 'does causeway-agent run there?',
  'name-ambiguous': 'use NETWORK/NAME, or the id of the endpoint',
  'mtu-too-large': '--force makes the change all the same; network show then names the hosts that carry less',
  'underlay-overlap': '--force makes the change all the same',
  'network-in-use':
    '--force detaches the endpoints and releases the reservations; causeway endpoint list NETWORK shows the endpoints',
};

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
