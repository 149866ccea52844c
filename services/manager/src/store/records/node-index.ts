import { family, type Ip, type Node, type NodeId } from '@causeway/model';
import { entry, prune } from './entries.ts';
import type { Versioned } from './kind.ts';
import { NamedIndex } from './named-index.ts';

/** The part of a host's record that decides which packets its underlay carries. */
export type Underlay = Pick<Node, 'underlayMtu' | 'dataPath'>;

/** Hosts by id, name, data path address and underlay. Each host that joins is compared with all others by these. */
export class NodeIndex extends NamedIndex<NodeId, Node> {
  readonly #byDataPath = new Map<Ip, Set<NodeId>>();
  readonly #byUnderlay = new Map<string, Set<NodeId>>();

  constructor() {
    super('node');
  }

  override set(parts: { readonly id: NodeId }, record: Versioned<Node>): void {
    this.#forget(parts.id);
    super.set(parts, record);
    entry(this.#byDataPath, record.value.dataPath, newSet).add(parts.id);
    entry(this.#byUnderlay, kindOf(record.value), newSet).add(parts.id);
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

  #forget(id: NodeId): void {
    const former = this.get({ id })?.value;
    if (former === undefined) return;
    prune(this.#byDataPath, former.dataPath, (ids) => ids.delete(id));
    prune(this.#byUnderlay, kindOf(former), (ids) => ids.delete(id));
  }
}

function kindOf({ underlayMtu, dataPath }: Underlay): string {
  return `${underlayMtu} ${family(dataPath)}`;
}

function newSet(): Set<NodeId> {
  return new Set();
}
