import { AgentServiceClient } from '@causeway/proto/gen/causeway/v1/agent_service.grpc-client.js';
import { AttachRequest } from '@causeway/proto/gen/causeway/v1/agent_service.js';
import type { Endpoint } from '@causeway/proto/gen/causeway/v1/types.js';
import { callUnary, plaintext } from '@causeway/proto/io';
import { randomUuid } from '@causeway/runtime';
import { cryptoRandom } from '@causeway/runtime/io';
import type { LabHost, LabPlan } from '../plan.ts';
import { agentSocketOf } from './agent-probe.ts';

/** What is attached: a namespace of the host, at its path there. */
export type Attached = Pick<AttachRequest, 'network' | 'name' | 'netns'>;

/** ms. The agent waits for the network's table. */
const timeout = 60_000;

/** Attaches a container through its host's agent, from outside the host. */
export async function attachIn(plan: LabPlan, host: LabHost, attached: Attached): Promise<Endpoint> {
  const client = new AgentServiceClient(`unix:${agentSocketOf(plan, host)}`, plaintext);
  try {
    const request = AttachRequest.create({ requestId: randomUuid(cryptoRandom), ...attached });
    const { endpoint } = await callUnary(client.attach.bind(client), request, { timeout });
    if (endpoint === undefined) throw new TypeError('the agent answers with the endpoint');
    return endpoint;
  } finally {
    client.close();
  }
}
