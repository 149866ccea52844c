import { isCausewayError } from '@causeway/model';
import { seconds } from '@causeway/runtime';
import type { Connect } from './clients.ts';
import { parseManagers, type Settings } from './settings.ts';

/** Variables with which the systemd units of the agent and the manager on this host are started. */
export type HostVariables = Readonly<Record<string, string>>;

export interface HostParts {
  /**
   * From /etc/causeway/agent.env and manager.env; the agent's take precedence. Empty when the files do not exist, or when
   * only root may read them.
   */
  readonly hostVariables: () => Promise<HostVariables>;
  /** HOST:PORT of the managers of a context; absent: of the context in use. */
  readonly managersOfContext: (context: string | undefined) => Promise<readonly string[]>;
  readonly connect: Connect;
  readonly signal: AbortSignal;
}

/** Time for the agent of this host to say with which manager it has a session. */
const patience = seconds(1);

/** Reads KEY=VALUE lines as systemd reads an EnvironmentFile: skips comments and empty lines, and removes quotes. */
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
 * Completes missing settings from this user and this host. Precedence for managers: those of the context > the settings of the
 * host's agent > the manager with which its agent has a session > its own manager. A missing socket is that of its agent.
 */
export async function withHostSettings(
  settings: Settings,
  said: { readonly socket: boolean },
  { hostVariables, managersOfContext, connect, signal }: HostParts,
): Promise<Settings> {
  if (settings.managers.length > 0) return settings;
  const ofContext = await managersOfContext(settings.context);
  const variables = await hostVariables();
  const socket = said.socket ? settings.socket : (variables['CAUSEWAY_SOCKET'] ?? settings.socket);
  const known = { ...settings, socket };
  if (ofContext.length > 0) return { ...known, managers: ofContext };
  const written = readManagers(variables['CAUSEWAY_MANAGERS']);
  if (written.length > 0) return { ...known, managers: written };
  const inSession = await managerOfAgent({ connect, signal }, known);
  if (inSession.length > 0) return { ...known, managers: inSession };
  return { ...known, managers: readManagers(reachable(variables['CAUSEWAY_LISTEN'])) };
}

/** Settings of other programs must not make a command fail: managers that do not parse count as none. */
function readManagers(text = ''): readonly string[] {
  try {
    return parseManagers(text);
  } catch (error) {
    if (isCausewayError(error)) return [];
    throw error;
  }
}

/** Address at which this host reaches its own manager, when that manager listens on every address. */
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
