import { isCausewayError } from '@causeway/model';
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  Metadata,
  Server,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceDefinition,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { formatPeer } from '../../name.ts';
import { peerOf } from '../peer-listener.ts';

const bytes = { serialize: (value: Buffer): Buffer => value, deserialize: (value: Buffer): Buffer => value };

function method(path: string, isStream: boolean) {
  return {
    path,
    requestStream: isStream,
    responseStream: isStream,
    requestSerialize: bytes.serialize,
    requestDeserialize: bytes.deserialize,
    responseSerialize: bytes.serialize,
    responseDeserialize: bytes.deserialize,
  };
}

const who = '/test.Echo/Who';
const talk = '/test.Echo/Talk';
const definition = { who: method(who, false), talk: method(talk, true) } satisfies ServiceDefinition;

/** Who calls, in one word; the refusal of a certificate as an error with its message. */
function nameOf(call: Parameters<typeof peerOf>[0]): string {
  const peer = peerOf(call);
  return peer === undefined ? 'anonymous' : formatPeer(peer.name);
}

/** A gRPC server that answers each caller with the caller's name, and repeats what arrives on a stream. */
export function echoServer(): Server {
  const server = new Server();
  server.addService(definition, {
    who: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => {
      try {
        answer(null, Buffer.from(nameOf(call)));
      } catch (error) {
        if (!isCausewayError(error)) throw error;
        answer({ code: status.UNAUTHENTICATED, details: `${error.code}: ${error.message}` });
      }
    },
    talk: (call: ServerDuplexStream<Buffer, Buffer>) => {
      const name = nameOf(call);
      call.on('data', (said: Buffer) => call.write(Buffer.from(`${name}: ${said}`)));
      call.on('end', () => call.end());
      call.on('error', () => {});
    },
  });
  return server;
}

/** A client of it. Each has a connection of its own. */
export class EchoClient {
  readonly #client: Client;

  constructor(port: number, credentials: ChannelCredentials) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials, { 'grpc.use_local_subchannel_pool': 1 });
  }

  /** The name under which the server knows this client, or the error's text. `waitForReady`: connects until it succeeds. */
  who({ waitForReady = false } = {}): Promise<string> {
    return new Promise((resolve) => {
      const answer = (error: ServiceError | null, value?: Buffer): void =>
        resolve(error === null ? String(value) : error.details);
      const metadata = new Metadata({ waitForReady });
      this.#client.makeUnaryRequest(who, bytes.serialize, bytes.deserialize, Buffer.from('?'), metadata, answer);
    });
  }

  talk(): Talk {
    return new Talk(this.#client.makeBidiStreamRequest(talk, bytes.serialize, bytes.deserialize));
  }

  close(): void {
    this.#client.close();
  }
}

/** A stream to the server. */
export class Talk {
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  readonly ended: Promise<string>;

  constructor(stream: ClientDuplexStream<Buffer, Buffer>) {
    this.#stream = stream;
    this.ended = new Promise((resolve) => stream.once('error', (error: ServiceError) => resolve(error.details)));
  }

  say(text: string): Promise<string> {
    return new Promise((resolve) => {
      this.#stream.once('data', (said: Buffer) => resolve(String(said)));
      this.#stream.write(Buffer.from(text));
    });
  }

  end(): void {
    this.#stream.end();
  }
}
