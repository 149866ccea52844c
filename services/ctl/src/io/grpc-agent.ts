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
import type { Credentials, UnaryMethod } from '@causeway/proto/io';
import type { Agent } from '../clients.ts';
import { Caller, type CallerParts } from './caller.ts';
import { channelOptions } from './channel-options.ts';

/** The agent behind a unix socket. While it restarts a call is tried again: its request id makes that safe. */
export class GrpcAgent implements Agent {
  readonly #socket: string;
  readonly #stub: AgentServiceClient;
  readonly #caller: Caller;

  constructor(parts: { credentials: Credentials } & CallerParts, settings: { socket: string }) {
    this.#socket = settings.socket;
    this.#stub = new AgentServiceClient(`unix:${settings.socket}`, parts.credentials.client(), channelOptions);
    this.#caller = new Caller(parts, { what: 'agent', addresses: [settings.socket] });
  }

  attach(request: AttachRequest): Promise<AttachResponse> {
    return this.#call<AttachRequest, AttachResponse>((...call) => this.#stub.attach(...call), request);
  }

  detach(request: DetachRequest): Promise<DetachResponse> {
    return this.#call<DetachRequest, DetachResponse>((...call) => this.#stub.detach(...call), request);
  }

  getAgentStatus(): Promise<GetAgentStatusResponse> {
    return this.#call<GetAgentStatusRequest, GetAgentStatusResponse>(
      (...call) => this.#stub.getAgentStatus(...call),
      {},
    );
  }

  listSandboxes(): Promise<ListSandboxesResponse> {
    return this.#call<ListSandboxesRequest, ListSandboxesResponse>((...call) => this.#stub.listSandboxes(...call), {});
  }

  close(): void {
    this.#stub.close();
  }

  async #call<Request, Response>(method: UnaryMethod<Request, Response>, request: Request): Promise<Response> {
    await this.#checkSocket();
    return (await this.#caller.call('wait', () => method, request)).response;
  }

  /** grpc-js tries a socket that does not exist for as long as it is let: say at once what is wrong. */
  async #checkSocket(): Promise<void> {
    try {
      await access(this.#socket, constants.R_OK | constants.W_OK);
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code;
      const data = { field: '--socket', value: this.#socket };
      if (code === 'EACCES' || code === 'EPERM') {
        throw new CausewayError('permission-denied', `the agent's socket ${this.#socket} is for root only`, data, {
          cause,
        });
      }
      throw new CausewayError('agent-unavailable', `no agent on this host: there is no socket ${this.#socket}`, data, {
        cause,
      });
    }
  }
}
