import { constants, type ServerHttp2Stream } from 'node:http2';
import { CausewayError } from '@causeway/model';
import { sessionServiceDefinition } from '@causeway/proto/gen/causeway/v1/session_service.grpc-server.js';
import type { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { errorToService, intact, lenient, reportFailure } from '@causeway/proto/io';
import { Queue } from '@causeway/runtime';
import type { ServerDuplexStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Identity } from '../../call/identity.ts';
import { authorize, type Rule } from '../../call/policy.ts';
import type { AgentChannel } from '../../feed/channel.ts';
import { endless, type Serving } from './calls.ts';
import { GrpcCall } from './grpc-call.ts';

/**
 * Limits of messages that were read and not processed yet. At a limit reading pauses, so that an agent that floods is
 * slowed down by its own connection.
 */
const queueLimit = 32;
const queueBytesLimit = 1024 * 1024;

/**
 * Limits, in messages and in bytes, until the agent's Hello is answered: until then an agent has nothing else to send. A
 * cursor of a network takes 50 bytes, so a host may have 10,000 of them.
 */
const greetingLimit = 2;
const greetingBytesLimit = 1024 * 1024;

/** An agent closes its end when the session is over. If the peer does not, the stream is reset after this time. */
const lingerMs = 2_000;

type SessionCall = ServerDuplexStream<ConnectRequest, Uint8Array>;

/** Encoded size of each message, bytes, for as long as the message exists. */
const sizes = new WeakMap<object, number>();

const { connect } = lenient({ connect: sessionServiceDefinition.connect });

/**
 * The generated service, except that responses are encoded already: a delta is encoded once and written to every stream.
 */
export const sessionService: ServiceDefinition<UntypedServiceImplementation> = {
  connect: {
    ...connect,
    requestDeserialize: (bytes: Buffer): ConnectRequest => {
      const request = connect.requestDeserialize(bytes);
      sizes.set(request, bytes.length);
      return request;
    },
    responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
  },
};

/** `serve` gets every admitted agent, except those whose session the forwarder passes on. It must not throw. */
export function sessionHandlers(
  { forwarder, log }: Pick<Serving, 'forwarder' | 'log'>,
  rule: Rule,
  serve: (channel: AgentChannel) => Promise<void>,
): UntypedServiceImplementation {
  return {
    connect: (call: SessionCall) => {
      try {
        const context = new GrpcCall(call, endless);
        authorize(rule, context, undefined);
        if (forwarder.relays(call)) forwarder.relay(call, context);
        else void serve(new GrpcAgentChannel(call, context.peer));
      } catch (error) {
        call.emit('error', reportFailure(log, call, error));
      }
    },
  };
}

class GrpcAgentChannel implements AgentChannel {
  readonly peer: Identity;
  readonly #call: SessionCall;
  readonly #queue = new Queue<ConnectRequest>();
  #isClosed = false;
  #isGreeted = false;
  #backlog = 0;
  #waitingBytes = 0;

  constructor(call: SessionCall, peer: Identity) {
    this.peer = peer;
    this.#call = call;
    call.on('data', (request: ConnectRequest) => this.#take(request));
    call.on('end', () => this.#queue.end());
    // A broken connection or invalid data ends the session, as a normal end does.
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

  /** Messages sent before still go out, then the status. */
  close(error?: CausewayError): void {
    if (this.#isClosed) return;
    this.#markClosed();
    setTimeout(() => resetStream(this.#call), lingerMs).unref();
    if (error === undefined) this.#call.end();
    else this.#call.emit('error', errorToService(error));
  }

  #take(request: ConnectRequest): void {
    if (this.#isClosed) return;
    this.#waitingBytes += sizes.get(request) ?? 0;
    this.#queue.push(request);
    if (!this.#isGreeted && (this.#queue.size > greetingLimit || this.#waitingBytes > greetingBytesLimit)) {
      const message = `before Welcome a session accepts at most ${greetingLimit} messages and ${greetingBytesLimit} bytes: send Hello, and wait for Welcome`;
      this.close(new CausewayError('message-too-large', message, { field: 'message' }));
    } else if (this.#queue.size >= queueLimit || this.#waitingBytes >= queueBytesLimit) this.#call.pause();
  }

  #markClosed(): void {
    this.#isClosed = true;
    this.#queue.end();
  }

  async *#read(): AsyncGenerator<ConnectRequest, void> {
    for await (const request of this.#queue) {
      yield intact(request);
      this.#isGreeted = true; // the reader asks for the next message when it has answered the first
      this.#waitingBytes -= sizes.get(request) ?? 0;
      if (this.#queue.size === 0 && this.#call.isPaused()) this.#call.resume();
    }
  }
}

/**
 * RFC 9113 §8.1: a server that has answered may ask its client to send no more. grpc-js leaves the client's half of the
 * stream open for as long as the client likes, with all that the stream holds in memory. grpc-js has no call to close it.
 */
function resetStream(call: unknown): void {
  const { stream } = (call as { call?: { stream?: Partial<ServerHttp2Stream> } }).call ?? {};
  if (stream?.closed === false) stream.close?.(constants.NGHTTP2_NO_ERROR);
}
