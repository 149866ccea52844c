import { defaultPrefix, type Store } from '@causeway/manager';

/**
 * The fields of the store's records that are checked. The JSON is read without the product's codecs, which are tested
 * too.
 */
export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  readonly vni: number;
  readonly mtu: { readonly bytes: number };
  readonly subnets: readonly { readonly prefix: string; readonly gateway?: string }[];
}

export interface EndpointRecord {
  readonly id: string;
  readonly network: string;
  readonly name: string;
  readonly node: string;
  readonly mac: string;
  /** "10.66.0.9/16" */
  readonly addresses: readonly string[];
}

export interface NodeRecord {
  readonly id: string;
  readonly name: string;
  /** The address at which the host receives VXLAN. */
  readonly dataPath: string;
}

/** All records at one revision, by id. */
export interface Moment {
  readonly revision: bigint;
  readonly networks: ReadonlyMap<string, NetworkRecord>;
  readonly endpoints: ReadonlyMap<string, EndpointRecord>;
  readonly nodes: ReadonlyMap<string, NodeRecord>;
}

const kinds = { network: 'networks', endpoint: 'endpoints', node: 'nodes' } as const;

/** The history of a store, as a client that only watches sees it. */
export class Records {
  readonly #moments: Moment[] = [{ revision: 0n, networks: new Map(), endpoints: new Map(), nodes: new Map() }];
  readonly #listeners: (() => void)[] = [];

  async run(store: Pick<Store, 'follow'>, signal: AbortSignal): Promise<void> {
    for await (const change of store.follow(defaultPrefix, signal)) {
      if (change.kind === 'snapshot') for (const kv of change.kvs) this.#take(change.revision, kv.key, kv.value);
      if (change.kind === 'events') {
        for (const event of change.events) {
          if (event.kind === 'put') this.#take(event.kv.modRevision, event.kv.key, event.kv.value);
          else this.#take(event.modRevision, event.key, undefined);
        }
      }
      for (const listener of this.#listeners) listener();
    }
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  get now(): Moment {
    return this.#moments.at(-1) as Moment;
  }

  at(revision: bigint): Moment {
    return this.#moments.findLast((moment) => moment.revision <= revision) ?? (this.#moments[0] as Moment);
  }

  /** The moments from that revision to now. */
  since(revision: bigint): readonly Moment[] {
    return [this.at(revision), ...this.#moments.filter((moment) => moment.revision > revision)];
  }

  #take(revision: bigint, key: string, value: Uint8Array | undefined): void {
    const [kind = '', ...rest] = key.slice(defaultPrefix.length).split('/');
    const id = rest.at(-1) ?? '';
    const last = this.now;
    const records = kind in kinds ? kinds[kind as keyof typeof kinds] : undefined;
    const next = last.revision === revision ? last : { ...last, revision };
    if (next !== last) this.#moments.push(next);
    if (records === undefined) return;
    const changed = new Map<string, unknown>(next[records]);
    if (value === undefined) changed.delete(id);
    else changed.set(id, JSON.parse(new TextDecoder().decode(value)));
    this.#moments[this.#moments.length - 1] = { ...next, [records]: changed };
  }
}
