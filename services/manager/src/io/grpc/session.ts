import type { CausewayError } from '@causeway/model';
import { sessionServiceDefinition } from '@causeway/proto/gen/causeway/v1/session_service.grpc-server.js';
import type { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { decoded, errorToService, lenient } from '@causeway/proto/io';
import { Queue } from '@causeway/runtime';
import type { ServerDuplexStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { AgentChannel } from '../../dispatcher/channel.ts';
import type { Forwarder } from './forward.ts';

/** Messages read and not yet worked on; an agent that floods is then slowed down by its own connection. */
const queueLimit = 32;

type SessionCall = ServerDuplexStream<ConnectRequest, Uint8Array>;

/** As generated, but responses come encoded already: a delta is encoded once and written to every stream. */
export const sessionService: ServiceDefinition<UntypedServiceImplementation> = lenient({
  connect: {
    ...sessionServiceDefinition.connect,
    responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
  },
});

/** `serve` gets every agent that connects, but those whose session the forwarder passes on, and must not throw. */
export function sessionHandlers(
  serve: (channel: AgentChannel) => Promise<void>,
  forwarder: Pick<Forwarder, 'relays' | 'relay'>,
): UntypedServiceImplementation {
  return {
    connect: (call: SessionCall) => {
      if (forwarder.relays(call)) forwarder.relay(call);
      else void serve(new GrpcAgentChannel(call));
    },
  };
}

class GrpcAgentChannel implements AgentChannel {
  readonly #call: SessionCall;
  readonly #queue = new Queue<ConnectRequest>();
  #isClosed = false;
  #backlog = 0;

  constructor(call: SessionCall) {
    this.#call = call;
    call.on('data', (request: ConnectRequest) => {
      this.#queue.push(request);
      if (this.#queue.size >= queueLimit) call.pause();
    });
    call.on('end', () => this.#queue.end());
    // A broken connection and garbage on it end the session like a farewell does.
    for (const event of ['cancelled', 'error', 'close']) call.on(event, () => this.#markClosed());
  }

  get backlog(): number {
    return this.#backlog;
  }

  get requests(): AsyncIterable<ConnectRequest> {
    return this.#read();
  }

  send(response: Uint8Array): void {
    if (this.#isClosed) return;
    this.#backlog += response.length;
    this.#call.write(response, () => {
      this.#backlog -= response.length;
    });
  }

  /** What was sent before still goes out, then the status. */
  close(error?: CausewayError): void {
    if (this.#isClosed) return;
    this.#markClosed();
    if (error === undefined) this.#call.end();
    else this.#call.emit('error', errorToService(error));
  }

  #markClosed(): void {
    this.#isClosed = true;
    this.#queue.end();
  }

  async *#read(): AsyncGenerator<ConnectRequest, void> {
    for await (const request of this.#queue) {
      yield decoded(request);
      if (this.#queue.size === 0 && this.#call.isPaused()) this.#call.resume();
    }
  }
}
