import type { NetworkId, NodeId } from '@causeway/model';
import type { Clock } from '@causeway/runtime';
import { earlier, later } from './revision.ts';
import type { Tables } from './steps.ts';

/** How far the hosts are that may hold something of a network: its own, and those it was withdrawn from. */
export interface Standing {
  /** What each of them that has a session has told to have applied at least; undefined: none has a session. */
  readonly floor?: bigint;
  /** When the last of those without session was lost, on the monotonic clock; undefined: each has a session. */
  readonly silentSince?: number;
}

export interface HoldingsModules {
  readonly tables: Tables;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * What hosts' kernels may still hold, as far as they have told in the session they have. A host that was withdrawn from a
 * network counts until it says that nothing of it is left; one without session counts as lost since then, and before the
 * first one it ever has with this leader as lost since that began to lead.
 */
export class Holdings {
  readonly #modules: HoldingsModules;
  readonly #sessions = new Map<NodeId, Map<NetworkId, bigint>>();
  readonly #lost = new Map<NodeId, number>();
  readonly #leaving = new Map<NetworkId, Set<NodeId>>();
  #began = 0;

  constructor(modules: HoldingsModules) {
    this.#modules = modules;
  }

  /** Of a new leader: it has heard of nobody. */
  reset(): void {
    this.#sessions.clear();
    this.#lost.clear();
    this.#leaving.clear();
    this.#began = this.#modules.clock.now();
  }

  /** A session began; `held` are the networks the host says it has. */
  began(node: NodeId, held: Iterable<NetworkId>): void {
    this.forget(node);
    this.#sessions.set(node, new Map());
    for (const network of held) if (!this.#isHost(node, network)) this.left(node, network);
  }

  ended(node: NodeId): void {
    this.#sessions.delete(node);
    this.#lost.set(node, this.#modules.clock.now());
  }

  /** It has no endpoint of the network any more, which its kernel follows some time later. */
  left(node: NodeId, network: NetworkId): void {
    const leaving = this.#leaving.get(network) ?? new Set();
    this.#leaving.set(network, leaving.add(node));
  }

  /** What has not happened yet cannot have been applied. */
  reported(node: NodeId, network: NetworkId, revision: bigint): void {
    const told = this.#sessions.get(node);
    const table = this.#modules.tables.get(network);
    if (told === undefined || !table?.hosts.has(node)) return;
    told.set(network, later(told.get(network) ?? 0n, earlier(revision, table.revision)));
    this.#gone(node, network);
  }

  /** The host says that nothing of the network is left. Not believed of one that has it again: that tells on its own. */
  withdrawn(node: NodeId, network: NetworkId): void {
    if (this.#isHost(node, network)) return;
    this.#sessions.get(node)?.delete(network);
    this.#gone(node, network);
  }

  /** The host is no part of the cluster any more. */
  forget(node: NodeId): void {
    this.#sessions.delete(node);
    this.#lost.delete(node);
    for (const network of [...this.#leaving.keys()]) this.#gone(node, network);
  }

  of(network: NetworkId): Standing {
    let floor: bigint | undefined;
    let silentSince: number | undefined;
    const hosts = this.#modules.tables.get(network)?.hosts.keys() ?? [];
    for (const node of new Set([...hosts, ...(this.#leaving.get(network) ?? [])])) {
      const silent = this.silentSince(node);
      if (silent !== undefined) silentSince = Math.max(silentSince ?? silent, silent);
      else {
        const revision = this.#sessions.get(node)?.get(network) ?? 0n;
        if (floor === undefined || revision < floor) floor = revision;
      }
    }
    return { ...(floor === undefined ? {} : { floor }), ...(silentSince === undefined ? {} : { silentSince }) };
  }

  /** Whether the host has said that its kernel follows the network up to the revision, or holds nothing of it any more. */
  hasReached(node: NodeId, network: NetworkId, revision: bigint): boolean {
    const told = this.#sessions.get(node);
    if (told === undefined) return false;
    if (this.#isHost(node, network)) return (told.get(network) ?? 0n) >= revision;
    return this.#leaving.get(network)?.has(node) !== true;
  }

  /** Networks the host has none of any more and may still hold. */
  leavingOf(node: NodeId): readonly NetworkId[] {
    return [...this.#leaving].flatMap(([network, nodes]) => (nodes.has(node) ? [network] : []));
  }

  /** Undefined while it has a session. */
  silentSince(node: NodeId): number | undefined {
    return this.#sessions.has(node) ? undefined : (this.#lost.get(node) ?? this.#began);
  }

  #isHost(node: NodeId, network: NetworkId): boolean {
    return this.#modules.tables.get(network)?.hosts.has(node) ?? false;
  }

  #gone(node: NodeId, network: NetworkId): void {
    const leaving = this.#leaving.get(network);
    leaving?.delete(node);
    if (leaving?.size === 0) this.#leaving.delete(network);
  }
}
