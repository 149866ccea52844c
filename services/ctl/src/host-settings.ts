import { isCausewayError } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import type { Connect } from './clients.ts';
import { parseManagers, type Settings } from './settings.ts';

/** Variables of the units on this host: what its agent and manager are started with. */
export type HostVariables = Readonly<Record<string, string>>;

export interface HostParts {
  /** Of /etc/causeway/agent.env and manager.env, the agent's first; none where there are no such files, or only for root. */
  readonly hostVariables: () => Promise<HostVariables>;
  readonly connect: Connect;
  readonly signal: AbortSignal;
}

/** For the agent of this host to say which manager it has a session with. */
const patience = seconds(1);

/** What a line of KEY=VALUE says, as systemd reads an EnvironmentFile: comments and empty lines aside, quotes taken off. */
export function parseVariables(text: string): HostVariables {
  const pairs = text.split('\n').flatMap((line): [string, string][] => {
    const match = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*?)\s*$/.exec(line);
    if (match === null) return [];
    const [, key = '', value = ''] = match;
    return [[key, /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value]];
  });
  return Object.fromEntries(pairs);
}

/**
 * The settings with what this host knows in place of what was not said: the managers of its agent's settings, the one that
 * its agent has a session with, or its own manager. A socket that was not said is the agent's too.
 */
export async function withHostSettings(
  settings: Settings,
  said: { readonly socket: boolean },
  { hostVariables, connect, signal }: HostParts,
): Promise<Settings> {
  if (settings.managers.length > 0) return settings;
  const variables = await hostVariables();
  const socket = said.socket ? settings.socket : (variables['CAUSEWAY_SOCKET'] ?? settings.socket);
  const known = { ...settings, socket };
  const written = readManagers(variables['CAUSEWAY_MANAGERS']);
  if (written.length > 0) return { ...known, managers: written };
  const inSession = await managerOfAgent({ connect, signal }, known);
  if (inSession.length > 0) return { ...known, managers: inSession };
  return { ...known, managers: readManagers(reachable(variables['CAUSEWAY_LISTEN'])) };
}

/** Settings of others are no reason to fail: what does not parse is as good as none. */
function readManagers(text = ''): readonly string[] {
  try {
    return parseManagers(text);
  } catch (error) {
    if (isCausewayError(error)) return [];
    throw error;
  }
}

/** Where a manager of this host that listens on every address is reached from here. */
function reachable(listen = ''): string {
  return listen.replace(/^(0\.0\.0\.0)?(?=:\d+$)/, '127.0.0.1').replace(/^\[::\](?=:\d+$)/, '[::1]');
}

async function managerOfAgent(
  { connect, signal }: Pick<HostParts, 'connect' | 'signal'>,
  settings: Settings,
): Promise<readonly string[]> {
  const clients = connect({ ...settings, timeout: patience }, signal);
  try {
    const { manager } = await clients.agent.getAgentStatus({});
    return readManagers(manager);
  } catch (error) {
    if (isCausewayError(error)) return [];
    throw error;
  } finally {
    clients.close();
  }
}
