import { connect } from 'node:net';
import { type Duration, seconds } from '@causeway/runtime';
import {
  type ChannelCredentials,
  Client,
  type ClientReadableStream,
  Metadata,
  type MethodDefinition,
} from '@grpc/grpc-js';
import { service } from 'grpc-health-check';
import type { Contact, Dialer } from '../../election/dialer.ts';
import { leaderService } from './health.ts';
import { splitHostPort } from './host-port.ts';

const watchHealth = service['Watch'] as MethodDefinition<object, Health>;

interface Health {
  readonly status: string;
}

/**
 * How long to wait for an answer. A manager that runs answers within milliseconds; no conclusion is drawn from a busy
 * one.
 */
const patience = seconds(1);

const channelOptions = {
  // Each try stands alone: it shares no connection, and no pause after a failed try.
  'grpc.use_local_subchannel_pool': 1,
  // For a host that vanished silently: the connection ends, and the next try finds out.
  'grpc.keepalive_time_ms': 1_000,
  'grpc.keepalive_timeout_ms': 2_000,
};

export interface GrpcDialerModules {
  readonly credentials: ChannelCredentials;
  /** Absent: one second. */
  readonly patience?: Duration;
}

/**
 * Connects with a watch of the health (grpc.health.v1) of the service that only a leader serves. So the first answer says
 * whether that process leads.
 */
export class GrpcDialer implements Dialer {
  readonly #modules: GrpcDialerModules;

  constructor(modules: GrpcDialerModules) {
    this.#modules = modules;
  }

  async dial(address: string, signal: AbortSignal): Promise<Contact> {
    const { credentials } = this.#modules;
    const limit = this.#modules.patience ?? patience;
    const port = await lookAt(address, limit, signal);
    return port === 'taken' ? await attend(address, credentials, limit, signal) : { kind: port };
  }
}

/** gRPC does not distinguish a refused connection from other failures, so the port is tried first. */
function lookAt(address: string, limit: Duration, signal: AbortSignal): Promise<'taken' | 'refused' | 'unclear'> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve('unclear');
    const socket = connect(splitHostPort(address));
    const giveUp = AbortSignal.any([signal, AbortSignal.timeout(limit)]);
    const end = (found: 'taken' | 'refused' | 'unclear'): void => {
      giveUp.removeEventListener('abort', late);
      socket.destroy();
      resolve(found);
    };
    const late = (): void => end('unclear');
    giveUp.addEventListener('abort', late);
    socket.once('connect', () => end('taken'));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => end(code === 'ECONNREFUSED' ? 'refused' : 'unclear'));
  });
}

function attend(
  address: string,
  credentials: ChannelCredentials,
  limit: Duration,
  signal: AbortSignal,
): Promise<Contact> {
  const client = new Client(address, credentials, channelOptions);
  const { path, requestSerialize, responseDeserialize } = watchHealth;
  const watch: ClientReadableStream<Health> = client.makeServerStreamRequest<object, Health>(
    path,
    requestSerialize,
    responseDeserialize,
    { service: leaderService },
    new Metadata(),
  );
  return new Promise((resolve) => {
    const over = new Promise<void>((ended) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        watch.cancel();
        client.close();
        ended();
        resolve({ kind: 'unclear' }); // unless it was connected before
      };
      const timer = setTimeout(end, limit);
      signal.addEventListener('abort', end);
      if (signal.aborted) end();
      watch.on('error', end);
      watch.on('end', end);
      watch.once('data', ({ status }: Health) => {
        clearTimeout(timer);
        resolve({ kind: 'connected', leads: status === 'SERVING', ended: over });
      });
    });
  });
}
