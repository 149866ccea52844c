import { type Name, type NetworkId, type NodeId, Vni } from '@causeway/model';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endpointCodec, networkCodec, nodeCodec } from '../store/codec.ts';
import { Keys } from '../store/keys.ts';
import type { KeyValue, StoreEvent } from '../store/store.ts';
import { View } from '../store/view.ts';
import { endpointId, networkId, nodeId, scriptEndpoint, scriptNetwork, scriptNode } from '../testing/view-script.ts';
import type { Catalog, Item, ItemChange, Place } from './catalog.ts';
import { Catalogs } from './catalogs.ts';

type Write =
  | { readonly act: 'network' | 'node'; readonly n: number; readonly name: number }
  | {
      readonly act: 'endpoint';
      readonly n: number;
      readonly network: number;
      readonly node: number;
      readonly name: number;
    }
  | { readonly act: 'drop-network' | 'drop-endpoint' | 'drop-node'; readonly n: number };

type Step = { readonly kind: 'commit'; readonly revisions: readonly (readonly Write[])[] } | { readonly kind: 'reset' };

const keys = new Keys();

/** What a list tells of an item: all of it. */
function tell(item: Item): string {
  const names = 'names' in item ? JSON.stringify(item.names) : '';
  return `${item.value.name} ${item.value.id} ${JSON.stringify(item.value)} ${item.revision} ${names}`;
}

/** A store that remembers every list it ever had, made anew from its records: slow and plainly right. */
class Oracle {
  readonly view = new View(keys);
  readonly catalogs = new Catalogs(this.view, { kept: 4 });
  readonly lists = new Map<bigint, Record<'networks' | 'endpoints' | 'nodes', string[]>>();
  readonly #records = new Map<string, KeyValue>();
  #networks = new Map<NetworkId, string>();
  #revision = 0n;

  constructor() {
    this.reset();
  }

  get revision(): bigint {
    return this.#revision;
  }

  commit(revisions: readonly (readonly Write[])[]): void {
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

  #write(write: Write): StoreEvent[] {
    switch (write.act) {
      case 'network': {
        const record = { ...scriptNetwork(write.n), name: `n${write.name}` as Name, vni: Vni(5_000 + write.name) };
        return [this.#put(keys.network(record.id), networkCodec.encode(record))];
      }
      case 'node': {
        const record = { ...scriptNode(write.n), name: `h${write.name}` as Name };
        return [this.#put(keys.node(record.id), nodeCodec.encode(record))];
      }
      case 'endpoint': {
        const id = endpointId(write.n);
        // Never without its network and host, and never from one network to another, as the claims see to.
        if (
          !this.#records.has(keys.network(networkId(write.network))) ||
          !this.#records.has(keys.node(nodeId(write.node)))
        )
          return [];
        const elsewhere = [0, 1, 2].filter((n) => n !== write.network).map((n) => keys.endpoint(networkId(n), id));
        if (elsewhere.some((key) => this.#records.has(key))) return [];
        const record = { ...scriptEndpoint(write.n, write.network, write.node), name: `e${write.name}` as Name };
        return [this.#put(keys.endpoint(record.network, id), endpointCodec.encode(record))];
      }
      case 'drop-endpoint':
        return [0, 1, 2].flatMap((n) => this.#delete(keys.endpoint(networkId(n), endpointId(write.n))));
      case 'drop-network': {
        const used = [...this.#records.keys()].some((key) => key.startsWith(keys.endpoints(networkId(write.n))));
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
      networks: [...plain.networks.values()].map(tell).sort(),
      nodes: [...plain.nodes.values()].map(tell).sort(),
      endpoints: endpoints.map(tell).sort(),
    });
  }
}

const kinds = ['networks', 'endpoints', 'nodes'] as const;

/** Every page of the list as it was then. */
function pages(catalog: Catalog<Item>, at: bigint, size: number, matches = (_: Item): boolean => true): string[] {
  const all: string[] = [];
  for (let after: Place | undefined; ; ) {
    const { items, more } = catalog.page({ at, size, matches, ...(after !== undefined && { after }) });
    all.push(...items.map(tell));
    if (!more) return all;
    after = items.at(-1)?.value;
  }
}

/** Every later list by the changes alone. */
function replay(catalog: Catalog<Item>, oracle: Oracle, kind: (typeof kinds)[number], from: bigint): void {
  const copy = new Set(oracle.lists.get(from)?.[kind]);
  let at = from;
  for (let changes = catalog.next(at); changes !== undefined; changes = catalog.next(at)) {
    for (const change of changes) apply(copy, change);
    at = changes[0]?.revision ?? at;
    expect([...copy].sort()).toEqual(oracle.lists.get(at)?.[kind]);
  }
  expect([...copy].sort()).toEqual(oracle.lists.get(oracle.revision)?.[kind]);
}

function apply(copy: Set<string>, { before, after }: ItemChange<Item>): void {
  if (before !== undefined) expect(copy.delete(tell(before))).toBe(true);
  if (after !== undefined) copy.add(tell(after));
}

const small = fc.nat(2);
const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ act: fc.constantFrom('network' as const, 'node' as const), n: small, name: small }),
  fc.record({ act: fc.constant('endpoint' as const), n: fc.nat(5), network: small, node: small, name: fc.nat(3) }),
  fc.record({ act: fc.constantFrom('drop-network' as const, 'drop-node' as const), n: small }),
  fc.record({ act: fc.constant('drop-endpoint' as const), n: fc.nat(5) }),
);
const steps: fc.Arbitrary<Step[]> = fc.array(
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

describe('lists and their changes, beside a store that remembers every list', () => {
  test('pages of now and of then, and every later list by the changes alone', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 4 }), (script, size) => {
        const oracle = new Oracle();
        for (const step of script) {
          if (step.kind === 'reset') oracle.reset();
          else oracle.commit(step.revisions);
          for (const kind of kinds) {
            const list = oracle.lists.get(oracle.revision)?.[kind];
            expect(pages(oracle.catalogs[kind], oracle.revision, size)).toEqual(list);
          }
        }
        for (const kind of kinds) {
          const catalog: Catalog<Item> = oracle.catalogs[kind];
          for (const [revision, lists] of oracle.lists) {
            if (catalog.remembers(revision)) {
              expect(pages(catalog, revision, size)).toEqual(lists[kind]);
              replay(catalog, oracle, kind, revision);
            } else {
              expect(() => catalog.next(revision)).toThrow('list again');
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a page is of what matches', () => {
    const oracle = new Oracle();
    oracle.commit([Array.from({ length: 5 }, (_, n): Write => ({ act: 'network', n, name: n }))]);
    const odd = ({ value }: Item): boolean => Number(value.name.slice(1)) % 2 === 1;
    expect(pages(oracle.catalogs.networks, oracle.revision, 1, odd).map((text) => text.slice(0, 2))).toEqual([
      'n1',
      'n3',
    ]);
  });

  test('who waits is woken by a change, and told when there will be none', async () => {
    const oracle = new Oracle();
    const { networks } = oracle.catalogs;
    const never = new AbortController().signal;
    const waiting = networks.changed(never);
    oracle.commit([[{ act: 'network', n: 1, name: 1 }]]);
    await waiting;
    const leaving = new AbortController();
    const left = networks.changed(leaving.signal);
    leaving.abort();
    await left;
    const ended = networks.changed(never);
    oracle.catalogs.end();
    await expect(ended).rejects.toMatchObject({ code: 'shutting-down' });
    await expect(networks.changed(never)).rejects.toMatchObject({ code: 'shutting-down' });
  });
});
