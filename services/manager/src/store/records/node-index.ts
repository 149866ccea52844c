import { type Family, family, type Ip, type Node, type NodeId, Prefix, width } from '@causeway/model';
import { type PrefixRange, prefixRange } from './address-range.ts';
import { entry, prune } from './entries.ts';
import type { Versioned } from './kind.ts';
import { NamedIndex } from './named-index.ts';
import { PrefixBook } from './prefix-book.ts';

/** The part of a host's record that decides which packets its underlay carries. */
export type Underlay = Pick<Node, 'underlayMtu' | 'dataPath' | 'encapPort'>;

/** Hosts by id, name, data path address, underlay and route. Each host that joins is compared with all others by these. */
export class NodeIndex extends NamedIndex<NodeId, Node> {
  readonly #byDataPath = new Map<Ip, Set<NodeId>>();
  readonly #byUnderlay = new Map<string, Set<NodeId>>();
  readonly #routes: Readonly<Record<Family, PrefixBook<NodeId>>> = { 4: new PrefixBook(), 6: new PrefixBook() };

  constructor() {
    super('node');
  }

  override set(parts: { readonly id: NodeId }, record: Versioned<Node>): void {
    this.#forget(parts.id);
    super.set(parts, record);
    entry(this.#byDataPath, record.value.dataPath, newSet).add(parts.id);
    entry(this.#byUnderlay, kindOf(record.value), newSet).add(parts.id);
    for (const range of routesOf(record.value)) this.#routes[range.family].add(range, parts.id);
  }

  override delete(parts: { readonly id: NodeId }): void {
    this.#forget(parts.id);
    super.delete(parts);
  }

  /** Hosts with this data path address. */
  at(dataPath: Ip): readonly Node[] {
    return [...(this.#byDataPath.get(dataPath) ?? [])].flatMap((id) => this.get({ id })?.value ?? []);
  }

  /** One underlay of each kind that hosts have: underlays of one kind carry the same packets. */
  underlays(): readonly Underlay[] {
    return [...this.#byUnderlay.values()].flatMap(([id]) => (id && this.get({ id })?.value) ?? []);
  }

  /** The routes and data path addresses of hosts, of one family. */
  routesIn(of: Family): Pick<PrefixBook<NodeId>, 'runs'> {
    return this.#routes[of];
  }

  #forget(id: NodeId): void {
    const former = this.get({ id })?.value;
    if (former === undefined) return;
    prune(this.#byDataPath, former.dataPath, (ids) => ids.delete(id));
    prune(this.#byUnderlay, kindOf(former), (ids) => ids.delete(id));
    for (const range of routesOf(former)) this.#routes[range.family].delete(range, id);
  }
}

function kindOf({ underlayMtu, dataPath, encapPort }: Underlay): string {
  return `${underlayMtu} ${family(dataPath)} ${encapPort !== undefined}`;
}

function routesOf({ dataPath, hostRoutes = [] }: Pick<Node, 'dataPath' | 'hostRoutes'>): readonly PrefixRange[] {
  return [...hostRoutes, Prefix(`${dataPath}/${width(family(dataPath))}`)].map(prefixRange);
}

function newSet(): Set<NodeId> {
  return new Set();
}
