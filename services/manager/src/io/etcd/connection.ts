import type { CausewayError } from '@causeway/model';
import { connectivityState, Metadata } from '@grpc/grpc-js';
import { isForeign, type StoreIdentity } from './identity.ts';
import type { EtcdClients } from './rpc.ts';

/** One member of the cluster and the clients to it. */
export interface EtcdEndpoint {
  readonly url: string;
  readonly clients: EtcdClients;
  /** Refuses a reply that comes from another cluster. @throws CausewayError store-unavailable */
  check(reply: EtcdReply): void;
}

/** What every reply of etcd says about its sender. */
export interface EtcdReply {
  readonly header?: { readonly clusterId: bigint };
}

/**
 * What is known about the process at the other end. A connection leads to one process, and a process belongs to one
 * cluster for as long as it runs. So the process is asked once for each connection, and again after the connection has
 * broken.
 */
type Standing =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'asked'; readonly answer: Promise<void> }
  | { readonly kind: 'ours' }
  | { readonly kind: 'foreign'; readonly error: CausewayError };

/** The connection to one member. It is used only while it is known to lead to our own cluster. */
export class Connection implements EtcdEndpoint {
  readonly url: string;
  readonly clients: EtcdClients;
  readonly #identity: StoreIdentity | undefined;
  #standing: Standing;

  /** Without an identity, any etcd that answers counts as ours. */
  constructor(url: string, clients: EtcdClients, identity?: StoreIdentity) {
    this.url = url;
    this.clients = clients;
    this.#identity = identity;
    this.#standing = identity === undefined ? { kind: 'ours' } : { kind: 'unknown' };
    if (identity !== undefined) this.#watch(connectivityState.IDLE);
  }

  /** Whether the member is connected and known to be ours. Begins to connect if it is not connected. */
  get isReady(): boolean {
    const isConnected = this.clients.kv.getChannel().getConnectivityState(true) === connectivityState.READY;
    return isConnected && this.#standing.kind === 'ours';
  }

  /**
   * Call when the member is connected. Resolves when the member is known to be ours.
   * @throws what the call throws; CausewayError store-unavailable
   */
  async verify(deadline: number): Promise<void> {
    const standing = this.#standing;
    if (standing.kind === 'ours') return;
    if (standing.kind === 'foreign') throw standing.error;
    if (standing.kind === 'asked') return await standing.answer;
    const answer = this.#ask(deadline);
    const asked: Standing = { kind: 'asked', answer };
    this.#standing = asked;
    try {
      await answer;
      // If the connection broke meanwhile, the answer is not about the present connection.
      if (this.#standing === asked) this.#standing = { kind: 'ours' };
    } catch (error) {
      if (this.#standing === asked)
        this.#standing = isForeign(error) ? { kind: 'foreign', error } : { kind: 'unknown' };
      throw error;
    }
  }

  check({ header }: EtcdReply): void {
    const { clusterId = 0n } = header ?? {};
    const error = clusterId === 0n ? undefined : this.#identity?.check(clusterId, this.url);
    if (error !== undefined) throw error;
  }

  close(): void {
    this.clients.kv.close();
  }

  async #ask(deadline: number): Promise<void> {
    const { maintenance } = this.clients;
    this.check(
      await new Promise<EtcdReply>((resolve, reject) => {
        maintenance.status({}, new Metadata(), { deadline }, (error, reply) =>
          error === null ? resolve(reply ?? {}) : reject(error),
        );
      }),
    );
  }

  #watch(state: connectivityState): void {
    const channel = this.clients.kv.getChannel();
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, () => {
      const now = channel.getConnectivityState(false);
      if (now === connectivityState.SHUTDOWN) return;
      if (now !== connectivityState.READY) this.#standing = { kind: 'unknown' };
      this.#watch(now);
    });
  }
}
