import type { Command } from 'commander';

/** What people of other tools type, by what it is called here. A word that is a command's own name beside stays that one's. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  network: ['networks', 'net', 'nets'],
  endpoint: ['endpoints', 'ep'],
  node: ['nodes', 'host', 'hosts'],
  manager: ['managers'],
  lab: ['labs'],
  backup: ['backups'],
  events: ['event'],
  list: ['ls'],
  show: ['inspect', 'describe', 'get'],
  delete: ['rm', 'remove'],
  remove: ['rm', 'delete'],
  detach: ['rm', 'remove', 'delete'],
  down: ['rm', 'remove'],
  // Of a lab.
  status: ['show', 'inspect', 'describe'],
};

/** Gives each command under this one its other names. */
export function addAliases(command: Command): void {
  const taken = new Set(command.commands.map((child) => child.name()));
  for (const child of command.commands) {
    const isNoun = command.parent === null;
    for (const alias of isNoun && child.name() === 'status' ? [] : (aliases[child.name()] ?? []))
      if (!taken.has(alias)) child.alias(alias);
    addAliases(child);
  }
}

/** The command under this one that is called so, by whichever of its names. */
export function childNamed(command: Command, word: string): Command | undefined {
  return command.commands.find((child) => child.name() === word || child.aliases().includes(word));
}
