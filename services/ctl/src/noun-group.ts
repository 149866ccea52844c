import { Command } from 'commander';
import type { Managers } from './clients.ts';
import type { Candidate } from './completion/candidates.ts';

/** Finds all existing objects of a noun, each as it must be typed. */
export type Names = (managers: Managers) => Promise<readonly Candidate[]>;

/** A noun: a command that only groups its verbs. */
export class NounGroup extends Command {
  /** Absent: only the noun's own commands know its objects. */
  readonly names: Names | undefined;

  constructor(name: string, summary: string, names?: Names) {
    super(name);
    this.summary(summary).description(summary);
    this.names = names;
  }
}

/** How to find the objects of a noun of the program to which the command belongs; undefined: no noun has that name. */
export function namesOf(command: Command, noun: string): Names | undefined {
  let program = command;
  while (program.parent !== null) program = program.parent;
  const found = program.commands.find((child) => child.name() === noun);
  return found instanceof NounGroup ? found.names : undefined;
}
