import { readFile } from 'node:fs/promises';
import { type HostVariables, parseVariables } from '../host-settings.ts';

/** As deploy/install.sh puts them; the agent's settings name the managers for certain. */
const files = ['/etc/causeway/manager.env', '/etc/causeway/agent.env'];

/** A file that is not there, or that this user may not read, says nothing. */
export async function hostVariables(): Promise<HostVariables> {
  const all = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return Object.assign({}, ...all.map(parseVariables)) as HostVariables;
}
