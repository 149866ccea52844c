import { rm } from 'node:fs/promises';
import { CausewayError } from '@causeway/model';
import { agentServiceDefinition } from '@causeway/proto/gen/causeway/v1/agent_service.grpc-server.js';
import { lenient, remainingOf, serveUnary } from '@causeway/proto/io';
import { type Duration, type Log, milliseconds, type Startable, seconds } from '@causeway/runtime';
import { Server, ServerCredentials, type ServerUnaryCall } from '@grpc/grpc-js';
import { type AgentApi, defaultTimeout } from '../api/api.ts';
import { placeSocket } from './socket.ts';

/** gRPC's own default, set explicitly. Requests of AgentService are far smaller. */
const largestMessage = 4 * 1024 * 1024;
/** Part of the caller's deadline that is kept for the answer, so that the caller gets the reason and not a timeout. */
const margin = milliseconds(250);
const longestDrain = seconds(3);
/**
 * A connection without requests is closed after this time, because file descriptors are needed for containers. Runtimes
 * use their connections, or reconnect.
 */
const idleConnection = seconds(60);
/**
 * Maximum number of calls at once on one connection, for containers that a runtime starts together. Further calls wait at
 * the caller.
 */
const mostCalls = 256;

/** AgentService on a unix socket that only root may open. */
export class AgentServer implements Startable {
  readonly #api: AgentApi;
  readonly #log: Log;
  readonly #path: string;
  readonly #server: Server;

  constructor(
    modules: { readonly api: AgentApi; readonly log: Log },
    settings: { readonly socket: string; readonly idleConnection?: Duration },
  ) {
    this.#api = modules.api;
    this.#log = modules.log;
    this.#path = settings.socket;
    this.#server = new Server({
      'grpc.max_receive_message_length': largestMessage,
      'grpc.max_connection_idle_ms': settings.idleConnection ?? idleConnection,
      'grpc.max_concurrent_streams': mostCalls,
    });
  }

  async start(): Promise<void> {
    const [api, log] = [this.#api, this.#log];
    this.#server.addService(lenient(agentServiceDefinition), {
      attach: serveUnary((request, call) => api.attach(request, timeoutOf(call)), log),
      detach: serveUnary((request, call) => api.detach(request, timeoutOf(call)), log),
      listSandboxes: serveUnary(() => api.listSandboxes(), log),
      getAgentStatus: serveUnary(() => api.getAgentStatus(), log),
      verifyHost: serveUnary((request) => api.verifyHost(request), log),
    });
    await placeSocket(this.#path, (path) => this.#bind(path));
  }

  /** Calls under way get time to finish, but not without limit: the next start repairs what they leave undone. */
  async stop(): Promise<void> {
    await rm(this.#path, { force: true });
    const overdue = setTimeout(() => this.#server.forceShutdown(), longestDrain);
    await new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()));
    clearTimeout(overdue);
  }

  /** With the umask, only root may open the socket from its first moment. */
  async #bind(path: string): Promise<void> {
    const mask = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) => {
          if (error === null) resolve();
          else
            reject(
              new CausewayError(
                'invalid-argument',
                `socket ${this.#path} cannot be served: ${error.message}`,
                { field: 'socket' },
                { cause: error },
              ),
            );
        });
      });
    } finally {
      process.umask(mask);
    }
  }
}

function timeoutOf(call: ServerUnaryCall<unknown, unknown>): Duration {
  const left = remainingOf(call, milliseconds(defaultTimeout + margin)) - margin;
  return milliseconds(Math.max(1, Math.min(left, defaultTimeout)));
}
