import { CausewayError } from '@causeway/model';
import { sessionServiceDefinition } from '@causeway/proto/gen/causeway/v1/session_service.grpc-server.js';
import type { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { errorToService, lenient, reportFailure } from '@causeway/proto/io';
import type { ServerDuplexStream, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Identity } from '../../call/identity.ts';
import { authorize, type Rule } from '../../call/policy.ts';
import type { AgentChannel } from '../../feed/channel.ts';
import { endless, type Serving } from './calls.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameStream } from './frame-stream.ts';
import { GrpcCall } from './grpc-call.ts';
import { Inbox, sized } from './inbox.ts';
import { reportRefusal } from './refusals.ts';

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

type SessionCall = ServerDuplexStream<ConnectRequest, Uint8Array>;

const { connect } = lenient({ connect: sessionServiceDefinition.connect });

/**
 * The generated service, except that responses are encoded already: a delta is encoded once and written to every stream.
 */
export const sessionService: ServiceDefinition<UntypedServiceImplementation> = {
  connect: {
    ...connect,
    requestDeserialize: decode,
    responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
  },
};

function decode(bytes: Buffer): ConnectRequest {
  return sized(connect.requestDeserialize(bytes), bytes.length);
}

/** `serve` gets every admitted agent, except those whose session the forwarder passes on. It must not throw. */
export function sessionHandlers(
  { forwarder, callers, refused, log }: Pick<Serving, 'forwarder' | 'callers' | 'refused' | 'log'>,
  rule: Rule,
  serve: (channel: AgentChannel) => Promise<void>,
): UntypedServiceImplementation {
  return {
    connect: (call: SessionCall) => {
      let peer: Identity | undefined;
      try {
        const context = new GrpcCall(call, callers.identify(call), endless);
        peer = context.peer;
        authorize(rule, context, undefined);
        if (forwarder.relays(call)) forwarder.relay(call);
        else void serve(new GrpcAgentChannel(call, context.peer));
      } catch (error) {
        reportRefusal(refused, rule, call, { error, peer, request: undefined });
        call.emit('error', reportFailure(log, call, error));
      }
    },
  };
}

class GrpcAgentChannel implements AgentChannel {
  readonly peer: Identity;
  readonly #call: SessionCall;
  readonly #stream: FrameStream;
  readonly #reader: FrameReader<ConnectRequest>;
  readonly #inbox = new Inbox(() => {
    if (this.#isPaused) this.#reader.resume();
    this.#isPaused = false;
  });
  #isPaused = false;
  #isClosed = false;
  #backlog = 0;

  constructor(call: SessionCall, peer: Identity) {
    this.peer = peer;
    this.#call = call;
    this.#stream = new FrameStream(call);
    this.#reader = new FrameReader(call, decode, (request) => this.#take(request));
    call.on('end', () => this.#inbox.end());
    // A broken connection or invalid data ends the session, as a normal end does.
    for (const event of ['cancelled', 'error', 'close']) call.on(event, () => this.#markClosed());
  }

  get backlog(): number {
    return this.#backlog;
  }

  get requests(): AsyncIterable<ConnectRequest> {
    return this.#inbox;
  }

  send(response: Uint8Array): void {
    if (this.#isClosed) return;
    this.#backlog += response.length;
    this.#stream.write(response, () => {
      this.#backlog -= response.length;
    });
  }

  /** Messages sent before still go out, then the status. The stream is reset if the agent does not take them, or does not close its end. */
  close(error?: CausewayError): void {
    if (this.#isClosed) return;
    this.#markClosed();
    this.#stream.end(() => {
      if (error === undefined) this.#call.end();
      else this.#call.emit('error', errorToService(error));
    });
  }

  #take(request: ConnectRequest): void {
    if (this.#isClosed) return;
    const inbox = this.#inbox;
    inbox.push(request);
    if (!inbox.hasProcessed && (inbox.size > greetingLimit || inbox.bytes > greetingBytesLimit)) {
      const message = `before Welcome a session accepts at most ${greetingLimit} messages and ${greetingBytesLimit} bytes: send Hello, and wait for Welcome`;
      this.close(new CausewayError('message-too-large', message, { field: 'message' }));
    } else if (inbox.size >= queueLimit || inbox.bytes >= queueBytesLimit) {
      this.#isPaused = true;
      this.#reader.pause();
    }
  }

  #markClosed(): void {
    this.#isClosed = true;
    this.#inbox.end();
  }
}
