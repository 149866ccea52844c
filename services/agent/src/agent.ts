import { CausewayError } from '@causeway/model';
import type { Startable } from '@causeway/runtime';
import type { AgentApi } from './api/api.ts';
import type { AgentSettings } from './config.ts';
import { type AgentModules, type RunningAgent, startAgent } from './start.ts';

export interface Agent extends Startable {
  /** Answers "agent-unavailable" while the agent is not started. */
  readonly api: AgentApi;
  /** Opens the session with the managers anew, because this host has a new certificate. */
  renewSession(): void;
  /** From now on, these are the managers: HOST:PORT of each. */
  knowManagers(addresses: readonly string[]): void;
}

/**
 * The agent of one host. `main.ts` passes the real modules, simulations pass in-memory twins. `start` throws when the
 * data directory or the data-path address cannot be used. `stop` leaves the kernel as it is, so that containers stay
 * connected.
 */
export function createAgent(modules: AgentModules, settings: AgentSettings): Agent {
  let running: RunningAgent | undefined;
  const api = (): AgentApi => {
    if (running !== undefined) return running.api;
    throw new CausewayError('agent-unavailable', 'the agent of this host is starting or stopping: try again');
  };
  return {
    async start() {
      running = await startAgent(modules, settings);
    },
    async stop() {
      const stopping = running;
      running = undefined;
      await stopping?.stop();
    },
    renewSession: () => running?.renewSession(),
    knowManagers: (addresses) => running?.knowManagers(addresses),
    api: {
      attach: async (request, timeout) => await api().attach(request, timeout),
      detach: async (request, timeout) => await api().detach(request, timeout),
      listSandboxes: async () => await api().listSandboxes(),
      getAgentStatus: async () => await api().getAgentStatus(),
      verifyHost: async (request) => await api().verifyHost(request),
    },
  };
}
