import type { Lab } from '@causeway/lab/io';
import { AgentServiceClient } from '@causeway/proto/gen/causeway/v1/agent_service.grpc-client.js';
import type { GetAgentStatusResponse } from '@causeway/proto/gen/causeway/v1/agent_service.js';
import { callUnary, plaintext } from '@causeway/proto/io';

/** Asks an agent through its socket, without the command line: for what no command prints or sends. */
export async function withAgent<T>(
  lab: Lab,
  host: string,
  use: (client: AgentServiceClient) => Promise<T>,
): Promise<T> {
  const client = new AgentServiceClient(`unix:${lab.runPath(host, 'causeway/agent.sock')}`, plaintext);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

export function agentStatus(lab: Lab, host: string): Promise<GetAgentStatusResponse> {
  return withAgent(lab, host, (client) => callUnary(client.getAgentStatus.bind(client), {}, { timeout: 5_000 }));
}
