import type { Argument, Command, Option } from 'commander';
import { childNamed } from '../aliases.ts';
import { type Names, namesOf } from '../noun-group.ts';
import { type Asked, type Source, sourceOf } from './values.ts';

/** What can stand at the cursor. */
export type Candidates =
  | { readonly kind: 'words'; readonly words: readonly Candidate[] }
  | { readonly kind: 'names'; readonly names: Names }
  | { readonly kind: 'found'; readonly source: Source; readonly asked: Omit<Asked, 'clients'> }
  | { readonly kind: 'files' };

export interface Candidate {
  readonly word: string;
  readonly help: string;
}

/** Arguments and options whose value is the name of an object, where they are not named like the noun itself. */
const otherNames: Readonly<Record<string, string>> = { host: 'node' };

/** The part of a command line before the cursor. */
interface Line {
  readonly command: Command;
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, string>>;
  /** The option whose value comes next. */
  readonly asking: Option | undefined;
  /** Whether "--" has come: the words after it are another program's command line. */
  readonly isOver: boolean;
}

/**
 * `words`: the words after the program's name; the last word is unfinished and may be empty. The caller filters the
 * candidates by it.
 */
export function candidatesFor(program: Command, words: readonly string[]): Candidates {
  const unfinished = words.at(-1) ?? '';
  const start: Line = { command: program, operands: [], options: {}, asking: undefined, isOver: false };
  const line = words.slice(0, -1).reduce(read, start);
  const { command, asking, operands } = line;
  if (line.isOver) return { kind: 'files' };
  if (asking !== undefined) return valuesOf(asking, asking.attributeName(), asking.flags, line);
  if (unfinished.startsWith('-')) return { kind: 'words', words: optionWords(command) };
  if (command.commands.length > 0) return { kind: 'words', words: commandWords(command) };
  if (command.name() === 'help') return { kind: 'words', words: helpWords(program, operands) };
  const argument = argumentAt(command, operands.length);
  return argument === undefined ? nothing : valuesOf(argument, argument.name(), '', line);
}

const nothing: Candidates = { kind: 'words', words: [] };

function read(line: Line, word: string): Line {
  const { command, operands, options, asking } = line;
  if (line.isOver) return line;
  if (asking !== undefined)
    return { ...line, asking: undefined, options: { ...options, [asking.long ?? asking.flags]: word } };
  if (word === '--') return { ...line, isOver: true };
  if (word.startsWith('-')) {
    const option = command.options.find((each) => each.required && (each.long === word || each.short === word));
    return { ...line, asking: option };
  }
  const child = operands.length === 0 ? childNamed(command, word) : undefined;
  return child === undefined ? { ...line, operands: [...operands, word] } : { ...line, command: child };
}

function valuesOf(of: Option | Argument, name: string, flags: string, line: Line): Candidates {
  if (of.argChoices !== undefined) return { kind: 'words', words: of.argChoices.map((word) => ({ word, help: '' })) };
  const source = sourceOf(of);
  if (source !== undefined) return { kind: 'found', source, asked: { operands: line.operands, options: line.options } };
  const names = namesOf(line.command, otherNames[name] ?? name);
  if (names !== undefined) return { kind: 'names', names };
  return /<(path|dir|file)>/.test(flags) || name === 'file' ? { kind: 'files' } : nothing;
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

function helpWords(program: Command, operands: readonly string[]): Candidate[] {
  const at = operands.reduce<Command | undefined>((command, word) => command && childNamed(command, word), program);
  return at === undefined ? [] : commandWords(at);
}

function visibleCommands(command: Command): Command[] {
  return command.createHelp().visibleCommands(command);
}
