import { readFile } from 'node:fs/promises';
import { type HostVariables, parseVariables } from '../host-settings.ts';

/**
 * The paths that deploy/install.sh uses. The agent's file comes last and takes precedence, because its settings always
 * name the managers.
 */
const files = ['/etc/causeway/manager.env', '/etc/causeway/agent.env'];

/** A file that does not exist, or that this user may not read, gives no variables. */
export async function hostVariables(): Promise<HostVariables> {
  const all = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return Object.assign({}, ...all.map(parseVariables)) as HostVariables;
}
