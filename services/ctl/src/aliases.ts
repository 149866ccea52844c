import type { Command } from 'commander';

/**
 * Words of other tools, by the name that the command has here. If a word is the name of a command in the same group, it
 * keeps that meaning.
 */
const aliases: Readonly<Record<string, readonly string[]>> = {
  network: ['networks', 'net', 'nets'],
  endpoint: ['endpoints', 'ep'],
  node: ['nodes', 'host', 'hosts'],
  manager: ['managers'],
  operator: ['operators'],
  context: ['contexts'],
  lab: ['labs'],
  backup: ['backups'],
  events: ['event'],
  list: ['ls'],
  show: ['inspect', 'describe', 'get'],
  delete: ['rm', 'remove'],
  remove: ['rm', 'delete'],
  detach: ['rm', 'remove', 'delete'],
  down: ['rm', 'remove'],
  // For `causeway lab`.
  status: ['show', 'inspect', 'describe'],
};

/** Adds the aliases to each command under this one. */
export function addAliases(command: Command): void {
  const taken = new Set(command.commands.map((child) => child.name()));
  for (const child of command.commands) {
    const isNoun = command.parent === null;
    for (const alias of isNoun && child.name() === 'status' ? [] : (aliases[child.name()] ?? []))
      if (!taken.has(alias)) child.alias(alias);
    addAliases(child);
  }
}

/** The command under this one that has the word as its name or alias. */
export function childNamed(command: Command, word: string): Command | undefined {
  return command.commands.find((child) => child.name() === word || child.aliases().includes(word));
}
