import { CausewayError } from '@causeway/model';
import type { UnaryMethod } from '@causeway/proto/io';
import { type Clock, type Duration, milliseconds } from '@causeway/runtime';
import { type ChannelCredentials, Metadata } from '@grpc/grpc-js';
import { Connection, type EtcdEndpoint, type EtcdReply } from './connection.ts';
import { type EtcdCredentials, unencrypted } from './credentials.ts';
import { isTransient, readFailure } from './failure.ts';
import { isForeign, type StoreIdentity } from './identity.ts';
import { createClients } from './rpc.ts';

export type { EtcdEndpoint };

interface EtcdPoolParts {
  readonly clock: Clock;
  readonly credentials?: EtcdCredentials;
  /** The etcd cluster that members must belong to. Absent: any cluster is accepted. */
  readonly identity?: StoreIdentity;
}

interface EtcdPoolSettings {
  /** Client URLs, http:// or https://, at least one. */
  readonly endpoints: readonly string[];
  /** Limit of a whole call, with its tries at several members. */
  readonly callTimeout: Duration;
  /** Limit of one try of a call that may be repeated. */
  readonly attemptTimeout: Duration;
}

/** A call's deadline on the pool's clock, and the signal with which the caller gives up. */
export interface CallBounds {
  readonly deadline: number;
  readonly signal?: AbortSignal;
}

/** Limit of one wait for a connection, ms. */
const longestWait = 250;

/** Pause between two tries of one call: tries may fail at once. */
const retryPause = milliseconds(50);

/**
 * The members of etcd, with one connection each. The pool uses one member while that member answers, and then moves on to
 * the next.
 */
export class EtcdPool {
  readonly #clock: Clock;
  readonly #settings: EtcdPoolSettings;
  readonly #credentials: ChannelCredentials;
  readonly #identity: StoreIdentity | undefined;
  readonly #closed = new AbortController();
  #endpoints: readonly Connection[];
  #current = 0;

  /** Throws "invalid-argument" for an endpoint that is not a client URL. */
  constructor(parts: EtcdPoolParts, settings: EtcdPoolSettings) {
    this.#clock = parts.clock;
    this.#settings = settings;
    this.#credentials = (parts.credentials ?? unencrypted).channel;
    this.#identity = parts.identity;
    this.#endpoints = settings.endpoints.map((url) => this.#connect(url));
    if (this.#endpoints.length === 0)
      throw new CausewayError('invalid-argument', 'no etcd endpoint given', { field: 'etcd' });
  }

  get endpoints(): readonly EtcdEndpoint[] {
    return this.#endpoints;
  }

  /** Uses these members from now on. Connections to members that stay are kept, and the member in use stays in use. */
  replace(urls: readonly string[]): void {
    const current = this.#endpoints[this.#current];
    const kept = new Map(this.#endpoints.map((endpoint) => [endpoint.url, endpoint]));
    this.#endpoints = urls.map((url) => kept.get(url) ?? this.#connect(url));
    for (const endpoint of kept.values()) if (!this.#endpoints.includes(endpoint)) endpoint.close();
    this.#current = Math.max(0, current === undefined ? 0 : this.#endpoints.indexOf(current));
  }

  bounds(signal?: AbortSignal, span: Duration = this.#settings.callTimeout): CallBounds {
    return { deadline: this.#clock.now() + span, ...(signal !== undefined && { signal }) };
  }

  /**
   * Returns a member with a connection. Throws "store-unavailable" when no member has one before the deadline; nothing
   * was sent then.
   */
  async ready(bounds: CallBounds): Promise<Connection> {
    const order = this.#endpoints.map((_, index) => (this.#current + index) % this.#endpoints.length);
    for (const index of order) {
      const endpoint = this.#endpoints[index];
      if (endpoint?.isReady === true) return this.#use(endpoint);
    }
    const deadline = Date.now() + Math.max(0, bounds.deadline - this.#clock.now());
    const found = new AbortController();
    const reasons = [this.#closed.signal, found.signal, ...(bounds.signal === undefined ? [] : [bounds.signal])];
    const over = AbortSignal.any(reasons);
    const connected = this.#endpoints.map(async (endpoint) => {
      await waitForReady(endpoint, deadline, over);
      await endpoint.verify(Math.min(deadline, Date.now() + this.#settings.attemptTimeout));
      return endpoint;
    });
    try {
      return this.#use(await orAborted(Promise.any(connected), over));
    } catch (cause) {
      const names = this.#endpoints.map(({ url }) => url).join(', ');
      const foreign = cause instanceof AggregateError ? cause.errors.find(isForeign) : undefined;
      const why = foreign === undefined ? '' : `: ${foreign.message}`;
      throw new CausewayError('store-unavailable', `no connection to etcd at ${names}${why}`, {}, { cause });
    } finally {
      found.abort();
    }
  }

  /** This member did not answer: the next call begins with the member after it. */
  pass(endpoint: EtcdEndpoint): void {
    if (this.#endpoints[this.#current] === endpoint) this.#current = (this.#current + 1) % this.#endpoints.length;
  }

  /**
   * Tries a call that may be repeated, at one member after the other until the deadline. Failures are CausewayErrors,
   * except those that `keep` selects.
   */
  async repeat<Response extends EtcdReply>(
    what: string,
    bounds: CallBounds,
    attempt: (endpoint: EtcdEndpoint, bounds: CallBounds) => Promise<Response>,
    keep: (error: unknown) => boolean = () => false,
  ): Promise<Response> {
    for (;;) {
      const endpoint = await this.ready(bounds);
      try {
        const deadline = Math.min(bounds.deadline, this.#clock.now() + this.#settings.attemptTimeout);
        const reply = await attempt(endpoint, { ...bounds, deadline });
        endpoint.check(reply);
        return reply;
      } catch (error) {
        if (keep(error)) throw error;
        const over = this.#clock.now() + retryPause >= bounds.deadline || bounds.signal?.aborted === true;
        if (over || !isTransient(error)) throw readFailure(error, `${what} at ${endpoint.url}`);
        this.pass(endpoint);
        await this.#clock.sleep(retryPause, bounds.signal);
      }
    }
  }

  /** One try of a unary method, bound to its client; rejects with grpc's ServiceError. */
  call<Request, Response>(
    method: UnaryMethod<Request, Response>,
    request: Request,
    bounds: CallBounds,
    metadata: Metadata = leaderRequired(),
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const abort = (): void => call.cancel();
      const call = method(request, metadata, this.options(bounds), (error, value) => {
        bounds.signal?.removeEventListener('abort', abort);
        if (error !== null) reject(error);
        else if (value === undefined) reject(new CausewayError('internal', 'etcd answered nothing'));
        else resolve(value);
      });
      bounds.signal?.addEventListener('abort', abort);
      if (bounds.signal?.aborted === true) abort();
    });
  }

  options(bounds: CallBounds): { readonly deadline: number } {
    return { deadline: Date.now() + Math.max(0, bounds.deadline - this.#clock.now()) };
  }

  close(): void {
    this.#closed.abort();
    for (const endpoint of this.#endpoints) endpoint.close();
  }

  #connect(url: string): Connection {
    const clients = createClients(parseEndpoint(url, this.#credentials._isSecure()), this.#credentials);
    return new Connection(url, clients, this.#identity);
  }

  #use(endpoint: Connection): Connection {
    this.#current = Math.max(0, this.#endpoints.indexOf(endpoint));
    return endpoint;
  }
}

/**
 * With this metadata (etcd's "hasleader") a member that has lost its leader refuses calls and ends streams, instead of
 * leaving them to hang.
 */
export function leaderRequired(): Metadata {
  const metadata = new Metadata();
  metadata.set('hasleader', 'true');
  return metadata;
}

/** host:port of a client URL. Throws "invalid-argument" for anything else. */
function parseEndpoint(url: string, secure: boolean): string {
  const scheme = secure ? 'https:' : 'http:';
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const plain = parsed !== undefined && parsed.pathname === '/' && parsed.search === '' && parsed.username === '';
  if (!plain || parsed.protocol !== scheme || parsed.hostname === '')
    throw new CausewayError(
      'invalid-argument',
      `etcd endpoint "${url}": give client URLs such as ${scheme}//10.0.0.1:2379`,
      { field: 'etcd' },
    );
  return `${parsed.hostname}:${parsed.port === '' ? '2379' : parsed.port}`;
}

/**
 * Waits in slices: grpc-js keeps a timer until the end of each wait, even when the client is closed, and the timer keeps
 * the process alive.
 */
async function waitForReady(endpoint: EtcdEndpoint, deadline: number, over: AbortSignal): Promise<void> {
  for (;;) {
    const slice = Math.min(deadline, Date.now() + longestWait);
    const error = await new Promise<Error | undefined>((resolve) => endpoint.clients.kv.waitForReady(slice, resolve));
    if (error === undefined) return;
    if (over.aborted || Date.now() >= deadline) throw error;
  }
}

function orAborted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Error('given up by the caller'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
