import type { Endpoint, NetworkId, NodeId } from '@causeway/model';
import type { NetworkApplied } from '@causeway/proto/gen/causeway/v1/session_service.js';
import type { Clock } from '@causeway/runtime';
import type { Versioned } from '../store/view.ts';
import { type AppliedSummary, AppliedVector, summarise } from './applied.ts';
import { AppliedWaiters } from './applied-waiters.ts';
import type { Publication } from './publisher.ts';
import { earlier } from './revision.ts';
import type { Tables } from './steps.ts';

export interface AppliedTrackerModules {
  readonly tables: Tables;
  readonly hasSession: (node: NodeId) => boolean;
  readonly clock: Clock;
}

/** Who has a network up to its newest revision. */
export interface NetworkProgress extends AppliedSummary {
  readonly revision: bigint;
}

/** Answers who has programmed what, and lets callers wait for it. Wanted are the network's hosts that have a session. */
export class AppliedTracker {
  readonly #modules: AppliedTrackerModules;
  readonly #vector = new AppliedVector();
  readonly #waiters = new AppliedWaiters();

  constructor(modules: AppliedTrackerModules) {
    this.#modules = modules;
  }

  appliedOf(endpoint: Versioned<Endpoint>): AppliedSummary {
    return this.#summarise(endpoint.value.network, endpoint.revision);
  }

  /** Who has the network as it is now; undefined: there is no such network. */
  progressOf(network: NetworkId): NetworkProgress | undefined {
    const revision = this.#modules.tables.get(network)?.revision;
    return revision === undefined ? undefined : { ...this.#summarise(network, revision), revision };
  }

  /** Whether the host has said that it has the network as it is now; undefined: there is no such network. */
  heldBy(node: NodeId, network: NetworkId): { readonly revision: bigint; readonly applied: boolean } | undefined {
    const revision = this.#modules.tables.get(network)?.revision;
    if (revision === undefined) return undefined;
    return { revision, applied: (this.#vector.revisionOf(node, network) ?? 0n) >= revision };
  }

  /** Resolves when all wanted hosts have applied the revision, or the network is gone, or the signal aborts. */
  wait(network: NetworkId, revision: bigint, signal: AbortSignal): Promise<void> {
    return this.#waiters.wait(network, revision, signal);
  }

  /** A host has no say about networks it is not subscribed to, nor about what has not happened yet. */
  reported(node: NodeId, report: NetworkApplied): void {
    const network = report.networkId as NetworkId;
    const table = this.#modules.tables.get(network);
    if (table === undefined || !table.hosts.has(node)) return;
    const revision = earlier(report.revision, table.revision);
    if (this.#vector.reported(node, network, revision, this.#modules.clock.now())) this.#settle(network);
  }

  published(publication: Publication): void {
    const network = publication.kind === 'vanished' ? publication.network : publication.table.id;
    if (publication.kind === 'moved') {
      const { from, to, joined } = publication;
      this.#vector.stepped(network, from, to, joined, this.#modules.clock.now());
    }
    for (const node of publication.left) this.#vector.forget(node, network);
    if (publication.kind === 'vanished' || publication.left.length > 0) this.#settle(network);
  }

  /** What the host's kernel holds is unknown until it reports; who waited for it waits no longer, or anew. */
  sessionChanged(node: NodeId, networks: Iterable<NetworkId>): void {
    this.#vector.forgetNode(node);
    for (const network of networks) this.#settle(network);
  }

  #summarise(network: NetworkId, revision: bigint): AppliedSummary {
    const { tables, hasSession } = this.#modules;
    return summarise(this.#vector, network, revision, tables.get(network)?.hosts.keys() ?? [], hasSession);
  }

  #settle(network: NetworkId): void {
    this.#waiters.settle(network, () => this.#floor(network));
  }

  /** What every wanted host has; undefined when none is wanted. */
  #floor(network: NetworkId): bigint | undefined {
    let floor: bigint | undefined;
    for (const node of this.#modules.tables.get(network)?.hosts.keys() ?? []) {
      if (!this.#modules.hasSession(node)) continue;
      const revision = this.#vector.revisionOf(node, network) ?? 0n;
      if (floor === undefined || revision < floor) floor = revision;
    }
    return floor;
  }
}
