import type { CausewayError } from '@causeway/model';
import { connectivityState, Metadata } from '@grpc/grpc-js';
import { isForeign, type StoreIdentity } from './identity.ts';
import type { EtcdClients } from './rpc.ts';

/** One member of the cluster and the clients to it. */
export interface EtcdEndpoint {
  readonly url: string;
  readonly clients: EtcdClients;
  /** Throws for a reply that says that it comes from another cluster. @throws CausewayError store-unavailable */
  check(reply: EtcdReply): void;
}

/** What every reply of etcd says of its sender. */
export interface EtcdReply {
  readonly header?: { readonly clusterId: bigint };
}

/**
 * What is known of who answers at the other end. A connection leads to one process, and a process is of one cluster for as
 * long as it runs: so it is asked once for each connection, and again after that has broken.
 */
type Standing =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'asked'; readonly answer: Promise<void> }
  | { readonly kind: 'ours' }
  | { readonly kind: 'foreign'; readonly error: CausewayError };

/** The way to one member, which is used only while it is known to lead to our own cluster. */
export class Connection implements EtcdEndpoint {
  readonly url: string;
  readonly clients: EtcdClients;
  readonly #identity: StoreIdentity | undefined;
  #standing: Standing;

  /** Without an identity whoever answers is taken for ours. */
  constructor(url: string, clients: EtcdClients, identity?: StoreIdentity) {
    this.url = url;
    this.clients = clients;
    this.#identity = identity;
    this.#standing = identity === undefined ? { kind: 'ours' } : { kind: 'unknown' };
    if (identity !== undefined) this.#watch(connectivityState.IDLE);
  }

  /** Connected, and ours; begins to connect otherwise. */
  get isReady(): boolean {
    const isConnected = this.clients.kv.getChannel().getConnectivityState(true) === connectivityState.READY;
    return isConnected && this.#standing.kind === 'ours';
  }

  /** Once it is connected: resolves when it is known to be ours. @throws what the call throws; CausewayError store-unavailable */
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
      // A connection that broke meanwhile is another one by now.
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
