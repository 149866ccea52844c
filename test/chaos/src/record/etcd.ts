import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KVClient, MaintenanceClient, WatchClient } from '@causeway/proto/gen/etcd/rpc.grpc-client.js';
import {
  type RangeRequest,
  type RangeResponse,
  StatusRequest,
  type StatusResponse,
  type WatchRequest,
  type WatchResponse,
} from '@causeway/proto/gen/etcd/rpc.js';
import { callUnary } from '@causeway/proto/io';
import { milliseconds } from '@causeway/runtime';
import { ChannelCredentials } from '@grpc/grpc-js';

const limits = { timeout: milliseconds(1_000) };
const options = {
  // A connection that broke is tried again at once.
  'grpc.max_reconnect_backoff_ms': 200,
  // For SNI, in which an IP address is not allowed; the answer does not depend on it.
  'grpc.ssl_target_name_override': 'etcd',
};

/** A member of etcd, called by generated code only: a defect of our own store client must not hide a defect of the store. */
export class EtcdMember {
  readonly #kv: KVClient;
  readonly #maintenance: MaintenanceClient;
  readonly #watch: WatchClient;

  /** `credentials`: `credentialsOf`. */
  constructor(url: string, credentials: ChannelCredentials) {
    const { host } = new URL(url);
    this.#kv = new KVClient(host, credentials, options);
    this.#maintenance = new MaintenanceClient(host, credentials, options);
    this.#watch = new WatchClient(host, credentials, options);
  }

  range(request: RangeRequest): Promise<RangeResponse> {
    return callUnary(this.#kv.range.bind(this.#kv), request, limits);
  }

  status(): Promise<StatusResponse> {
    return callUnary(this.#maintenance.status.bind(this.#maintenance), StatusRequest.create(), limits);
  }

  /** Ends with an error when the signal aborts. */
  async *watch(request: WatchRequest, signal: AbortSignal): AsyncGenerator<WatchResponse> {
    const stream = this.#watch.watch();
    // grpc-js emits the end of a cancelled call as an error, also when the stream is no longer read.
    stream.on('error', () => undefined);
    signal.addEventListener('abort', () => stream.cancel());
    stream.write(request);
    try {
      yield* stream as AsyncIterable<WatchResponse>;
    } finally {
      stream.cancel();
    }
  }
}

/** `identity`: directory with a credential that etcd accepts. */
export function credentialsOf(identity: string): ChannelCredentials {
  const own = readFileSync(join(identity, 'identity.pem'));
  const ca = readFileSync(join(identity, 'ca.pem'));
  // The name in the certificate is that of the cluster, and this lab has no other cluster.
  return ChannelCredentials.createSsl(ca, own, own, { checkServerIdentity: () => undefined });
}
