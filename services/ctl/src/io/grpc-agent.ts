import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { CausewayError } from '@causeway/model';
import { AgentServiceClient } from '@causeway/proto/gen/causeway/v1/agent_service.grpc-client.js';
import type {
  AttachRequest,
  AttachResponse,
  DetachRequest,
  DetachResponse,
  GetAgentStatusRequest,
  GetAgentStatusResponse,
  ListSandboxesRequest,
  ListSandboxesResponse,
} from '@causeway/proto/gen/causeway/v1/agent_service.js';
import { plaintext, type UnaryMethod } from '@causeway/proto/io';
import type { Agent } from '../clients.ts';
import { Caller, type CallerParts } from './caller.ts';
import { channelOptions } from './channel-options.ts';

/** The agent behind a unix socket. While the agent restarts, a call is tried again: its request id makes that safe. */
export function grpcAgent(parts: CallerParts, { socket }: { socket: string }): Agent & { close(): void } {
  const stub = new AgentServiceClient(`unix:${socket}`, plaintext, channelOptions);
  const caller = new Caller(parts, { what: 'agent', addresses: [socket] });
  const call =
    <Request, Response>(method: UnaryMethod<Request, Response>) =>
    async (request: Request): Promise<Response> => {
      await checkSocket(socket);
      return await caller.call('wait', () => method, request);
    };
  return {
    attach: call<AttachRequest, AttachResponse>(stub.attach.bind(stub)),
    detach: call<DetachRequest, DetachResponse>(stub.detach.bind(stub)),
    getAgentStatus: call<GetAgentStatusRequest, GetAgentStatusResponse>(stub.getAgentStatus.bind(stub)),
    listSandboxes: call<ListSandboxesRequest, ListSandboxesResponse>(stub.listSandboxes.bind(stub)),
    close: () => stub.close(),
  };
}

/** grpc-js keeps trying a socket that does not exist. This reports the reason at once. */
async function checkSocket(socket: string): Promise<void> {
  try {
    await access(socket, constants.R_OK | constants.W_OK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const data = { field: '--socket', value: socket };
    if (code === 'EACCES' || code === 'EPERM') {
      throw new CausewayError('permission-denied', `the agent's socket ${socket} is for root only`, data, {
        cause,
      });
    }
    throw new CausewayError('agent-unavailable', `no agent on this host: there is no socket ${socket}`, data, {
      cause,
    });
  }
}
