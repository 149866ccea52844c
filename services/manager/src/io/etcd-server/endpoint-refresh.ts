import { isCausewayError } from '@causeway/model';
import { type Clock, type Log, type Startable, seconds } from '@causeway/runtime';
import type { EtcdStore } from '../etcd/store.ts';
import type { EmbeddedEtcd } from './embedded-etcd.ts';

export interface EndpointRefreshParts {
  readonly store: Pick<EtcdStore, 'members' | 'useEndpoints'>;
  readonly etcd: Pick<EmbeddedEtcd, 'endpoint' | 'advertisedEndpoint'>;
  readonly clock: Clock;
  readonly log: Log;
}

const interval = seconds(10);

/** Keeps the store's endpoints what the cluster's members are, its own etcd first: so it goes on when that one is down. */
export class EndpointRefresh implements Startable {
  readonly #parts: EndpointRefreshParts;
  readonly #stop = new AbortController();
  #used = '';
  #running: Promise<void> = Promise.resolve();

  constructor(parts: EndpointRefreshParts) {
    this.#parts = parts;
  }

  start(): Promise<void> {
    this.#running = this.#run();
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log } = this.#parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#refresh();
      } catch (error) {
        log.debug('etcd.endpoints-unknown', { message: isCausewayError(error) ? error.message : String(error) });
      }
      await clock.sleep(interval, signal);
    }
  }

  async #refresh(): Promise<void> {
    const { store, etcd, log } = this.#parts;
    const members = await store.members();
    const others = members.flatMap(({ learner, clientUrls: [url] }) => (learner || url === undefined ? [] : [url]));
    const endpoints = [
      etcd.endpoint,
      ...others.filter((url) => url !== etcd.advertisedEndpoint && url !== etcd.endpoint),
    ];
    if (this.#stop.signal.aborted || String(endpoints) === this.#used) return;
    store.useEndpoints(endpoints);
    this.#used = String(endpoints);
    log.info('etcd.endpoints-changed', { endpoints });
  }
}
