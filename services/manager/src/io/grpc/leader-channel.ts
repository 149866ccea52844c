import type { CausewayError } from '@causeway/model';
import { sessionServiceDefinition } from '@causeway/proto/gen/causeway/v1/session_service.grpc-server.js';
import type { ConnectRequest } from '@causeway/proto/gen/causeway/v1/session_service.js';
import { decoded, errorToService } from '@causeway/proto/io';
import {
  type ChannelCredentials,
  Client,
  type ClientReadableStream,
  type Metadata,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { failureOf } from './leader-failure.ts';

export type Method = ServiceDefinition[string];

const channelOptions = {
  // Usually the election is the first to report that a leader has vanished. Keepalive is for a leader that still holds
  // its lease. It runs also without calls, so that the next call does not have to find out.
  'grpc.keepalive_time_ms': 1_000,
  'grpc.keepalive_timeout_ms': 2_000,
  'grpc.keepalive_permit_without_calls': 1,
  // A leader that comes back at the same address is found at the next call, not after gRPC's usual seconds.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
};

/** A connection to one leader, and the forwarded calls that are under way on it. */
export class LeaderChannel {
  readonly address: string;
  readonly #client: Client;
  readonly #calls = new Set<{ cancel(): void }>();
  #closed: CausewayError | undefined;

  constructor(address: string, credentials: ChannelCredentials) {
    this.address = address;
    this.#client = new Client(address, credentials, channelOptions);
  }

  /** Ends when the caller leaves, when its deadline has passed, or at `limit` (Unix ms). @throws as `failureOf` */
  unary<Request, Response>(
    method: Method,
    call: ServerUnaryCall<Request, Response>,
    metadata: Metadata,
    limit: number,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const done = (error: ServiceError | null, response?: Response): void => {
        this.#calls.delete(sent);
        if (error === null) resolve(response as Response);
        else reject(this.#closed ?? failureOf(error, this.address));
      };
      const { path, requestSerialize, responseDeserialize } = method;
      const options = { parent: call, deadline: limit };
      const sent = this.#client.makeUnaryRequest<Request, Response>(
        path,
        requestSerialize,
        responseDeserialize,
        call.request,
        metadata,
        options,
        done,
      );
      this.#calls.add(sent);
    });
  }

  /** Ends with the caller, its deadline, or the leader's last answer. @throws as `failureOf` */
  async *stream<Request, Response>(
    method: Method,
    call: ServerWritableStream<Request, Response>,
    metadata: Metadata,
  ): AsyncGenerator<Response, void> {
    const { path, requestSerialize, responseDeserialize } = method;
    const sent: ClientReadableStream<Response> = this.#client.makeServerStreamRequest<Request, Response>(
      path,
      requestSerialize,
      responseDeserialize,
      call.request,
      metadata,
      { parent: call },
    );
    sent.on('error', () => undefined); // the error comes once more after the reader has left
    this.#calls.add(sent);
    try {
      for await (const response of sent) yield response as Response;
    } catch (error) {
      throw this.#closed ?? failureOf(error as ServiceError, this.address);
    } finally {
      this.#calls.delete(sent);
      sent.cancel();
    }
  }

  /**
   * Relays an agent's session in both directions, unchanged, no faster than either end reads. Ends when either end does.
   */
  relay(call: ServerDuplexStream<ConnectRequest, Uint8Array>, metadata: Metadata): void {
    const { path, requestSerialize } = sessionServiceDefinition.connect;
    const sent = this.#client.makeBidiStreamRequest<ConnectRequest, Uint8Array>(
      path,
      requestSerialize,
      (bytes) => bytes,
      metadata,
    );
    this.#calls.add(sent);
    let isOver = false;
    const end = (finish: () => void): void => {
      if (isOver) return;
      isOver = true;
      this.#calls.delete(sent);
      sent.cancel();
      finish();
    };
    const fail = (error: unknown): void => end(() => call.emit('error', errorToService(error)));
    sent.on('error', (error: ServiceError) => fail(this.#closed ?? failureOf(error, this.address)));
    sent.on('data', (bytes: Uint8Array) => {
      if (isOver || call.write(bytes)) return;
      sent.pause();
      call.once('drain', () => sent.resume());
    });
    sent.on('end', () => end(() => call.end()));
    call.on('data', (request: ConnectRequest) => {
      if (isOver) return;
      try {
        if (sent.write(decoded(request))) return;
      } catch (error) {
        return fail(error);
      }
      call.pause();
      sent.once('drain', () => call.resume());
    });
    call.on('end', () => sent.end());
    for (const event of ['cancelled', 'error', 'close']) call.on(event, () => end(() => undefined));
  }

  /** Calls under way end with that error. Their callers ask again with the same request id, and learn the outcome. */
  close(reason: CausewayError): void {
    this.#closed = reason;
    for (const call of this.#calls) call.cancel();
    this.#client.close();
  }
}
