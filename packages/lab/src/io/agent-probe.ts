import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AgentServiceClient } from '@causeway/proto/gen/causeway/v1/agent_service.grpc-client.js';
import type { GetAgentStatusResponse } from '@causeway/proto/gen/causeway/v1/agent_service.js';
import { callUnary, plaintext } from '@causeway/proto/io';
import type { LabHost, LabPlan } from '../plan.ts';
import { paths } from './state.ts';

/** Asks an agent from outside its host, by the socket in the host's /run. */
export class AgentProbe {
  readonly #socket: string;
  #client: AgentServiceClient | undefined;

  constructor(plan: LabPlan, host: LabHost) {
    this.#socket = agentSocketOf(plan, host);
  }

  /** undefined: the agent does not answer. */
  async status(): Promise<GetAgentStatusResponse | undefined> {
    // gRPC waits a second after a failed connect. This avoids the wait when the socket does not exist.
    if (!existsSync(this.#socket)) return undefined;
    this.#client ??= new AgentServiceClient(`unix:${this.#socket}`, plaintext, {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 200,
    });
    const client = this.#client;
    return callUnary(client.getAgentStatus.bind(client), {}, { timeout: 2_000 }).catch(() => undefined);
  }

  /** An agent is ready when it has a session with a manager. */
  async isReady(): Promise<boolean> {
    return ((await this.status())?.manager ?? '') !== '';
  }

  close(): void {
    this.#client?.close();
  }
}

/** Path, outside the host, to the socket of its agent. */
export function agentSocketOf(plan: LabPlan, host: LabHost): string {
  return join(paths.run(plan.name, host.name), 'causeway/agent.sock');
}
