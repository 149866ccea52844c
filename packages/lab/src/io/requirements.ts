import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CausewayError } from '@causeway/model';
import { machinePath } from './process.ts';
import { labPrograms } from './programs.ts';

/** By command: the Debian package that contains it. */
const needed = {
  etcd: 'etcd-server',
  ip: 'iproute2',
  mount: 'mount',
  nsenter: 'util-linux',
  unshare: 'util-linux',
  setsid: 'util-linux',
};

/** Throws `permission-denied` or `capability-missing`. The error says what to do. */
export function checkRequirements(): void {
  checkRoot();
  const missing = Object.entries(needed).filter(([command]) => !onPath(command));
  if (missing.length > 0) {
    const packages = [...new Set(missing.map(([, debian]) => debian))].join(' ');
    const commands = missing.map(([command]) => command).join(', ');
    throw new CausewayError('capability-missing', `missing ${commands}: apt-get install ${packages}`);
  }
  labPrograms();
}

export function checkRoot(): void {
  if (process.platform !== 'linux') {
    throw new CausewayError('capability-missing', 'a lab needs Linux: its hosts are namespaces');
  }
  if (process.getuid?.() === 0) return;
  throw new CausewayError('permission-denied', 'a lab needs root: it makes namespaces and network links');
}

/** Throws `capability-missing` for a command that only some verbs need. */
export function checkCommand(command: string, debian: string): void {
  if (onPath(command)) return;
  throw new CausewayError('capability-missing', `missing ${command}: apt-get install ${debian}`);
}

function onPath(command: string): boolean {
  return machinePath.split(':').some((dir) => dir !== '' && existsSync(join(dir, command)));
}
