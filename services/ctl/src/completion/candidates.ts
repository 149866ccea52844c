import type { Argument, Command, Option } from 'commander';

/** What may stand at the cursor. */
export type Candidates =
  | { readonly kind: 'words'; readonly words: readonly Candidate[] }
  | { readonly kind: 'names'; readonly of: LiveKind }
  | { readonly kind: 'files' };

export interface Candidate {
  readonly word: string;
  readonly help: string;
}

/** Things whose names only the cluster knows. */
export type LiveKind = 'network' | 'endpoint' | 'node';

/** A value is a live name when its argument or option is called so. */
const liveKinds: Readonly<Record<string, LiveKind>> = {
  network: 'network',
  endpoint: 'endpoint',
  node: 'node',
  host: 'node',
};

/** `words` follow the program's name; the last one is unfinished, perhaps empty. Candidates still want filtering by it. */
export function candidatesFor(program: Command, words: readonly string[]): Candidates {
  const unfinished = words.at(-1) ?? '';
  let command = program;
  let operands = 0;
  let asking: Option | undefined;
  for (const word of words.slice(0, -1)) {
    if (asking !== undefined) {
      asking = undefined;
    } else if (word === '--') {
      // What follows is another program's command line.
      return { kind: 'files' };
    } else if (word.startsWith('-')) {
      asking = command.options.find((option) => option.required && (option.long === word || option.short === word));
    } else {
      const child = operands === 0 ? visibleCommands(command).find((verb) => verb.name() === word) : undefined;
      if (child === undefined) operands++;
      else command = child;
    }
  }
  if (asking !== undefined) return valuesOf(asking, asking.attributeName(), asking.flags);
  if (unfinished.startsWith('-')) return { kind: 'words', words: optionWords(command) };
  if (command.commands.length > 0) return { kind: 'words', words: commandWords(command) };
  const argument = argumentAt(command, operands);
  return argument === undefined ? nothing : valuesOf(argument, argument.name(), '');
}

const nothing: Candidates = { kind: 'words', words: [] };

function valuesOf(of: Option | Argument, name: string, flags: string): Candidates {
  if (of.argChoices !== undefined) return { kind: 'words', words: of.argChoices.map((word) => ({ word, help: '' })) };
  const live = liveKinds[name];
  if (live !== undefined) return { kind: 'names', of: live };
  return flags.includes('<path>') ? { kind: 'files' } : nothing;
}

function argumentAt(command: Command, position: number): Argument | undefined {
  const last = command.registeredArguments.at(-1);
  return command.registeredArguments[position] ?? (last?.variadic === true ? last : undefined);
}

function optionWords(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({ word: option.long ?? option.short ?? '', help: option.description }));
}

function commandWords(command: Command): Candidate[] {
  return visibleCommands(command).map((child) => ({ word: child.name(), help: child.summary() }));
}

function visibleCommands(command: Command): Command[] {
  return command.createHelp().visibleCommands(command);
}
