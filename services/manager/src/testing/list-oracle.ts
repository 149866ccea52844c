import { type Name, type NetworkId, type NodeId, Vni } from '@causeway/model';
import fc from 'fast-check';
import type { Item, ObjectCacheSettings } from '../listwatch/object-cache.ts';
import { ObjectCaches } from '../listwatch/object-caches.ts';
import { createKeys } from '../store/keys.ts';
import { records } from '../store/records/index.ts';
import type { KeyValue, StoreEvent } from '../store/store.ts';
import { View } from '../store/view.ts';
import { endpointId, networkId, nodeId, scriptEndpoint, scriptNetwork, scriptNode } from './view-script.ts';

export type ListWrite =
  | { readonly act: 'network' | 'node'; readonly n: number; readonly name: number }
  | {
      readonly act: 'endpoint';
      readonly n: number;
      readonly network: number;
      readonly node: number;
      readonly name: number;
    }
  | { readonly act: 'drop-network' | 'drop-endpoint' | 'drop-node'; readonly n: number };

type ListStep =
  | { readonly kind: 'commit'; readonly revisions: readonly (readonly ListWrite[])[] }
  | { readonly kind: 'reset' };

const keys = createKeys();

/** Everything that a list contains about an item, as text. */
export function printItem(item: Item): string {
  const names = 'names' in item ? JSON.stringify(item.names) : '';
  return `${item.value.name} ${item.value.id} ${JSON.stringify(item.value)} ${item.revision} ${names}`;
}

/** A store that remembers all its past lists, each built anew from the records: slow and obviously right. */
export class ListOracle {
  readonly view = new View(keys);
  readonly caches: ObjectCaches;
  readonly lists = new Map<bigint, Record<'network' | 'endpoint' | 'node', string[]>>();
  readonly #records = new Map<string, KeyValue>();
  #networks = new Map<NetworkId, string>();
  #revision = 0n;

  constructor(settings: ObjectCacheSettings = { kept: 4 }) {
    this.caches = new ObjectCaches(this.view, settings);
    this.reset();
  }

  get revision(): bigint {
    return this.#revision;
  }

  commit(revisions: readonly (readonly ListWrite[])[]): void {
    const events: StoreEvent[] = [];
    for (const writes of revisions) {
      this.#revision++;
      for (const write of writes) events.push(...this.#write(write));
      this.#note();
    }
    this.view.apply({ kind: 'events', revision: this.#revision, events });
  }

  reset(): void {
    this.#revision++;
    this.#note();
    this.view.apply({ kind: 'snapshot', revision: this.#revision, kvs: [...this.#records.values()] });
  }

  #write(write: ListWrite): StoreEvent[] {
    switch (write.act) {
      case 'network': {
        const record = { ...scriptNetwork(write.n), name: `n${write.name}` as Name, vni: Vni(5_000 + write.name) };
        return [this.#put(keys.network(record.id), records.network.codec.encode(record))];
      }
      case 'node': {
        const record = { ...scriptNode(write.n), name: `h${write.name}` as Name };
        return [this.#put(keys.node(record.id), records.node.codec.encode(record))];
      }
      case 'endpoint': {
        const id = endpointId(write.n);
        // Never without its network and host, and never moved from one network to another: the claims prevent both.
        if (
          !this.#records.has(keys.network(networkId(write.network))) ||
          !this.#records.has(keys.node(nodeId(write.node)))
        )
          return [];
        const elsewhere = [0, 1, 2].filter((n) => n !== write.network).map((n) => keys.endpoint(networkId(n), id));
        if (elsewhere.some((key) => this.#records.has(key))) return [];
        const record = { ...scriptEndpoint(write.n, write.network, write.node), name: `e${write.name}` as Name };
        return [this.#put(keys.endpoint(record.network, id), records.endpoint.codec.encode(record))];
      }
      case 'drop-endpoint':
        return [0, 1, 2].flatMap((n) => this.#delete(keys.endpoint(networkId(n), endpointId(write.n))));
      case 'drop-network': {
        const used = [...this.#records.keys()].some((key) =>
          key.startsWith(keys.under('endpoint', networkId(write.n))),
        );
        return used ? [] : this.#delete(keys.network(networkId(write.n)));
      }
      case 'drop-node':
        return this.#delete(keys.node(nodeId(write.n)));
    }
  }

  #put(key: string, value: Uint8Array): StoreEvent {
    const kv = { key, value, createRevision: this.#revision, modRevision: this.#revision };
    this.#records.set(key, kv);
    return { kind: 'put', kv };
  }

  #delete(key: string): StoreEvent[] {
    if (!this.#records.delete(key)) return [];
    return [{ kind: 'delete', key, modRevision: this.#revision }];
  }

  #note(): void {
    const plain = new View(keys);
    plain.apply({ kind: 'snapshot', revision: this.#revision, kvs: [...this.#records.values()] });
    const network = (id: NetworkId): string => plain.networks.get(id)?.value.name ?? '';
    const host = (id: NodeId): string => plain.nodes.get(id)?.value.name ?? id;
    const endpoints = [...plain.networks.keys()]
      .flatMap((id) => [...plain.endpointsOf(id).values()])
      .map(({ value, revision }) => ({
        value,
        revision,
        names: { network: network(value.network), host: host(value.node) },
      }));
    this.lists.set(this.#revision, {
      network: [...plain.networks.values()].map(printItem).sort(),
      node: [...plain.nodes.values()].map(printItem).sort(),
      endpoint: endpoints.map(printItem).sort(),
    });
  }
}

const small = fc.nat(2);
const write: fc.Arbitrary<ListWrite> = fc.oneof(
  fc.record({ act: fc.constantFrom('network' as const, 'node' as const), n: small, name: small }),
  fc.record({ act: fc.constant('endpoint' as const), n: fc.nat(5), network: small, node: small, name: fc.nat(3) }),
  fc.record({ act: fc.constantFrom('drop-network' as const, 'drop-node' as const), n: small }),
  fc.record({ act: fc.constant('drop-endpoint' as const), n: fc.nat(5) }),
);
export const listSteps: fc.Arbitrary<ListStep[]> = fc.array(
  fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record({
        kind: fc.constant('commit' as const),
        revisions: fc.array(fc.array(write, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reset' as const) }) },
  ),
  { maxLength: 40 },
);
