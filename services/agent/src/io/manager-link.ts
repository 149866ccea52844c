import { CertificateServiceClient } from '@causeway/proto/gen/causeway/v1/certificate_service.grpc-client.js';
import { EndpointServiceClient } from '@causeway/proto/gen/causeway/v1/endpoint_service.grpc-client.js';
import { SessionServiceClient } from '@causeway/proto/gen/causeway/v1/session_service.grpc-client.js';
import type { ConnectRequest, ConnectResponse } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { RemovedManager } from '@causeway/proto/gen/causeway/v1/types.js';
import {
  callUnary,
  connectWithin,
  errorFromService,
  type CallLimits as GrpcLimits,
  relayedKey,
  relayKey,
} from '@causeway/proto/io';
import { type ChannelCredentials, type ChannelOptions, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { CallLimits, ManagerLink, SessionChannel } from '../managers/link.ts';

const channelOptions: ChannelOptions = {
  // A manager whose host has died sends nothing. The agent notices this after 1 + 2 s. When 40 % of packets are lost, the
  // answer to a ping still comes within 2 s in nineteen of twenty cases.
  'grpc.keepalive_time_ms': 1_000,
  'grpc.keepalive_timeout_ms': 2_000,
  // gRPC's own pauses grow to two minutes. The agent decides when to try again, so gRPC's pauses must not delay it.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
  // A table comes in one message: 20,000 endpoints are about 3 MB.
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
};

/** Milliseconds. No call to a manager takes longer. */
const longestCall = 60_000;

/** The clients of one manager. They share a connection. */
interface Clients {
  readonly session: SessionServiceClient;
  readonly endpoints: EndpointServiceClient;
  readonly certificates: CertificateServiceClient;
}

/** A manager that was removed, as a session tells it. */
export type ManagerGone = RemovedManager;

type ManagersRemoved = (managers: readonly ManagerGone[]) => void;

/** Connections to managers over gRPC: one for each manager, made when first needed and then kept. */
export class GrpcManagerLink implements ManagerLink {
  #credentials: ChannelCredentials;
  readonly #removed: ManagersRemoved | undefined;
  readonly #actor: string;
  readonly #clients = new Map<string, Clients>();

  /** `name`: the name of this host. */
  constructor(
    modules: { readonly credentials: ChannelCredentials; readonly removed?: ManagersRemoved },
    settings: { readonly name: string },
  ) {
    this.#credentials = modules.credentials;
    this.#removed = modules.removed;
    this.#actor = `agent/${settings.name}`;
  }

  connect(address: string, { relay }: { readonly relay: boolean } = { relay: false }): SessionChannel {
    const metadata = new Metadata();
    if (relay) metadata.set(relayKey, '1');
    const stream = this.#client(address).session.connect(metadata);
    let relayedTo: string | undefined;
    stream.on('metadata', (headers) => {
      relayedTo = headers.get(relayedKey)[0]?.toString();
    });
    // Every failure of the stream is also an "error" event, which must have a handler. The reader handles the failure.
    stream.on('error', () => undefined);
    return {
      send: (request: ConnectRequest) => {
        if (stream.writable) stream.write(request);
      },
      get relayedTo() {
        return relayedTo;
      },
      messages: messagesOf(stream, this.#removed),
      close: () => stream.cancel(),
    };
  }

  reaches(address: string): Promise<boolean> {
    const { session } = this.#client(address);
    return new Promise((resolve) =>
      session.waitForReady(Date.now() + connectWithin, (error) => resolve(error === undefined)),
    );
  }

  /** For questions about certificates. */
  certificates(address: string): CertificateServiceClient {
    return this.#client(address).certificates;
  }

  claimEndpoint: ManagerLink['claimEndpoint'] = (address, request, limits) => {
    const { endpoints } = this.#client(address);
    return callUnary(endpoints.claimEndpoint.bind(endpoints), request, this.#limits(limits));
  };

  claimEndpoints: ManagerLink['claimEndpoints'] = (address, request, limits) => {
    const { endpoints } = this.#client(address);
    return callUnary(endpoints.claimEndpoints.bind(endpoints), request, this.#limits(limits));
  };

  releaseEndpoint: ManagerLink['releaseEndpoint'] = (address, request, limits) => {
    const { endpoints } = this.#client(address);
    return callUnary(endpoints.releaseEndpoint.bind(endpoints), request, this.#limits(limits));
  };

  detachEndpoint: ManagerLink['detachEndpoint'] = (address, request, limits) => {
    const { endpoints } = this.#client(address);
    return callUnary(endpoints.detachEndpoint.bind(endpoints), request, this.#limits(limits));
  };

  /**
   * From now on, calls and sessions use connections with these credentials. Those that are under way end on their connections.
   * The object must be a new one: gRPC shares the connections of equal credentials.
   */
  renew(credentials: ChannelCredentials): void {
    const former = [...this.#clients.values()];
    this.#credentials = credentials;
    this.#clients.clear();
    // gRPC ends the calls of a client that is closed when it next checks the connection.
    setTimeout(() => closeAll(former), longestCall).unref();
  }

  close(): void {
    closeAll(this.#clients.values());
    this.#clients.clear();
  }

  #limits(limits: CallLimits): GrpcLimits {
    return { ...limits, actor: this.#actor };
  }

  #client(address: string): Clients {
    const known = this.#clients.get(address);
    if (known !== undefined) return known;
    const credentials = this.#credentials;
    const made = {
      session: new SessionServiceClient(address, credentials, channelOptions),
      endpoints: new EndpointServiceClient(address, credentials, channelOptions),
      certificates: new CertificateServiceClient(address, credentials, channelOptions),
    };
    this.#clients.set(address, made);
    return made;
  }
}

function closeAll(clients: Iterable<Clients>): void {
  for (const { session, endpoints, certificates } of clients) {
    session.close();
    endpoints.close();
    certificates.close();
  }
}

async function* messagesOf(
  stream: AsyncIterable<ConnectResponse>,
  removed: ManagersRemoved | undefined,
): AsyncGenerator<ConnectResponse, void> {
  try {
    for await (const response of stream) {
      if (response.message.oneofKind === 'removedManagers') removed?.(response.message.removedManagers.managers);
      yield response;
    }
  } catch (error) {
    throw errorFromService(error as ServiceError);
  }
}
