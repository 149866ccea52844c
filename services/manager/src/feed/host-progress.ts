import type { NetworkId, NodeId } from '@causeway/model';
import type { Clock } from '@causeway/runtime';
import type { HostsProgress } from '../ipam/cooldown.ts';
import { earlier, later } from '../store/moment.ts';
import type { View } from '../store/view.ts';
import { ProgressWaiters } from './progress-waiters.ts';
import type { Publication } from './publisher.ts';
import { percentile, StepLatencies } from './step-latencies.ts';
import type { Tables } from './steps.ts';

/** Who has a revision of a network, by node; the API puts names in. */
export interface AppliedSummary {
  readonly revision: bigint;
  readonly have: number;
  /** Hosts of the network with a session. */
  readonly want: number;
  readonly waiting: readonly NodeId[];
  /** Hosts of the network without a session. */
  readonly unreachable: readonly NodeId[];
  /** Milliseconds; 0 when no host has it, or when the change is too old. */
  readonly p99Ms: number;
}

/** What a host has told of a network in its present session. */
interface Told {
  /** The newest revision that its kernel follows; 0: it has not said. */
  readonly applied: bigint;
  /** How long it takes is known of steps after this one; undefined: of none, it may have had them long ago. */
  readonly timedFrom?: bigint;
}

export interface HostProgressParts {
  readonly tables: Tables;
  readonly view: Pick<View, 'networksOn'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * What hosts' kernels hold, as far as the hosts have told in the session they have. A host that lost its last endpoint of
 * a network still counts until the host says that nothing of the network is left. A host without a session counts as
 * lost since its session ended; before its first session with this leader, as lost since the leader's term began.
 */
export class HostProgress {
  readonly #parts: HostProgressParts;
  readonly #sessions = new Map<NodeId, Map<NetworkId, Told>>();
  readonly #lost = new Map<NodeId, number>();
  /** Hosts that have no endpoint of the network any more and may still hold it. */
  readonly #leaving = new Map<NetworkId, Set<NodeId>>();
  readonly #latencies = new StepLatencies();
  readonly #waiters = new ProgressWaiters((network) => this.#floor(network));
  readonly #listeners = new Set<(network: NetworkId) => void>();
  #termBegan = 0;

  constructor(parts: HostProgressParts) {
    this.#parts = parts;
  }

  /** A term begins: the new leader has heard of no host. */
  reset(): void {
    this.#sessions.clear();
    this.#lost.clear();
    this.#leaving.clear();
    this.#termBegan = this.#parts.clock.now();
  }

  /** A session began; `held` are the networks the host says it has. What its kernel has of them, it will say. */
  sessionBegan(node: NodeId, held: Iterable<NetworkId>): void {
    const touched = new Set([...this.#networksOf(node), ...held]);
    this.#drop(node);
    this.#sessions.set(node, new Map());
    for (const network of held) if (!this.#isHost(node, network)) this.#leaves(node, network);
    for (const network of touched) this.#moved(network);
  }

  sessionEnded(node: NodeId): void {
    this.#sessions.delete(node);
    this.#lost.set(node, this.#parts.clock.now());
    for (const network of this.#networksOf(node)) this.#moved(network);
  }

  /** The host is no part of the cluster any more. */
  forget(node: NodeId): void {
    const touched = this.#networksOf(node);
    this.#drop(node);
    for (const network of touched) this.#moved(network);
  }

  /** The kernel of a host that loses the network follows some time later. */
  published(publication: Publication): void {
    const network = publication.kind === 'vanished' ? publication.network : publication.table.id;
    if (publication.kind === 'moved') {
      const { from, to, joined } = publication;
      this.#latencies.stepped(network, from, to, this.#parts.clock.now());
      for (const node of joined) this.#tell(node, network, { timedFrom: from });
    }
    for (const node of publication.left) {
      this.#leaves(node, network);
      this.#tell(node, network, { timedFrom: undefined });
    }
    if (publication.kind === 'vanished' || publication.left.length > 0) this.#waiters.moved(network);
  }

  /** A host has no say about networks it is not subscribed to, nor about what has not happened yet. */
  applied(node: NodeId, network: NetworkId, revision: bigint): void {
    const table = this.#parts.tables.get(network);
    const told = this.#sessions.get(node);
    if (told === undefined || !table?.hosts.has(node)) return;
    const now = earlier(revision, table.revision);
    const { applied, timedFrom } = told.get(network) ?? { applied: 0n };
    if (timedFrom !== undefined) this.#latencies.applied(network, timedFrom, now, this.#parts.clock.now());
    told.set(network, { applied: later(applied, now), timedFrom: later(timedFrom ?? 0n, now) });
    this.#left(node, network);
    this.#moved(network);
  }

  /** The host says that nothing of the network is left. Not believed of a host that has it again: it tells on its own. */
  withdrawn(node: NodeId, network: NetworkId): void {
    if (this.#isHost(node, network)) return;
    this.#sessions.get(node)?.delete(network);
    this.#left(node, network);
    this.#moved(network);
  }

  /** How far the hosts are that may hold something of a network: its own, and those it was withdrawn from. */
  of(network: NetworkId): HostsProgress {
    let floor: bigint | undefined;
    let silentSince: number | undefined;
    for (const node of new Set([...this.#hosts(network), ...(this.#leaving.get(network) ?? [])])) {
      const silent = this.silentSince(node);
      if (silent !== undefined) silentSince = Math.max(silentSince ?? silent, silent);
      else floor = lower(floor, this.#appliedBy(node, network));
    }
    return { ...(floor === undefined ? {} : { floor }), ...(silentSince === undefined ? {} : { silentSince }) };
  }

  /** When the host's session was lost, on the monotonic clock; undefined while it has one. */
  silentSince(node: NodeId): number | undefined {
    return this.#sessions.has(node) ? undefined : (this.#lost.get(node) ?? this.#termBegan);
  }

  /** Who has the network as it is now; undefined: there is no such network. */
  summaryNow(network: NetworkId): AppliedSummary | undefined {
    const revision = this.#parts.tables.get(network)?.revision;
    return revision === undefined ? undefined : this.summaryOf(network, revision);
  }

  /** Who has the network up to the revision. */
  summaryOf(network: NetworkId, revision: bigint): AppliedSummary {
    const waiting: NodeId[] = [];
    const unreachable: NodeId[] = [];
    let have = 0;
    for (const node of this.#hosts(network)) {
      if (!this.#sessions.has(node)) unreachable.push(node);
      else if (this.#appliedBy(node, network) >= revision) have++;
      else waiting.push(node);
    }
    const p99Ms = percentile(this.#latencies.of(network, revision), 0.99);
    return { revision, have, want: have + waiting.length, waiting, unreachable, p99Ms };
  }

  /** Whether the host has said that it has the network as it is now; undefined: there is no such network. */
  heldBy(node: NodeId, network: NetworkId): { readonly revision: bigint; readonly applied: boolean } | undefined {
    const revision = this.#parts.tables.get(network)?.revision;
    return revision === undefined ? undefined : { revision, applied: this.#appliedBy(node, network) >= revision };
  }

  /** Resolves when every host of the network that has a session has applied the revision, or the signal aborts. */
  async waitApplied(network: NetworkId, revision: bigint, signal: AbortSignal): Promise<void> {
    await this.#waiters.wait(network, (floor) => (floor() ?? revision) >= revision, signal);
  }

  /** Resolves with true when the host's kernel follows the network up to the revision, with false when the signal aborts before. */
  waitFollowed(node: NodeId, network: NetworkId, revision: bigint, signal: AbortSignal): Promise<boolean> {
    return this.#waiters.wait(network, () => this.#follows(node, network, revision), signal);
  }

  /** Networks that are waited for. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Called when the progress of a network may be other than it was. Returns the way to stop listening. */
  subscribe(listener: (network: NetworkId) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The host has said that its kernel follows the network up to the revision, or holds nothing of it any more. */
  #follows(node: NodeId, network: NetworkId, revision: bigint): boolean {
    if (!this.#sessions.has(node)) return false;
    if (this.#isHost(node, network)) return this.#appliedBy(node, network) >= revision;
    return this.#leaving.get(network)?.has(node) !== true;
  }

  /** What every host of the network that has a session has applied; undefined: none has one. */
  #floor(network: NetworkId): bigint | undefined {
    let floor: bigint | undefined;
    for (const node of this.#hosts(network))
      if (this.#sessions.has(node)) floor = lower(floor, this.#appliedBy(node, network));
    return floor;
  }

  #appliedBy(node: NodeId, network: NetworkId): bigint {
    return this.#sessions.get(node)?.get(network)?.applied ?? 0n;
  }

  #hosts(network: NetworkId): Iterable<NodeId> {
    return this.#parts.tables.get(network)?.hosts.keys() ?? [];
  }

  #isHost(node: NodeId, network: NetworkId): boolean {
    return this.#parts.tables.get(network)?.hosts.has(node) ?? false;
  }

  /** Networks that the host has an endpoint of, or may still hold. */
  #networksOf(node: NodeId): ReadonlySet<NetworkId> {
    const leaving = [...this.#leaving].flatMap(([network, nodes]) => (nodes.has(node) ? [network] : []));
    return new Set([...this.#parts.view.networksOn(node), ...leaving]);
  }

  #tell(node: NodeId, network: NetworkId, { timedFrom }: { readonly timedFrom: bigint | undefined }): void {
    const told = this.#sessions.get(node);
    const applied = told?.get(network)?.applied ?? 0n;
    told?.set(network, { applied, ...(timedFrom !== undefined && { timedFrom }) });
  }

  #leaves(node: NodeId, network: NetworkId): void {
    const leaving = this.#leaving.get(network) ?? new Set();
    this.#leaving.set(network, leaving.add(node));
  }

  #left(node: NodeId, network: NetworkId): void {
    const leaving = this.#leaving.get(network);
    leaving?.delete(node);
    if (leaving?.size === 0) this.#leaving.delete(network);
  }

  #drop(node: NodeId): void {
    this.#sessions.delete(node);
    this.#lost.delete(node);
    for (const network of [...this.#leaving.keys()]) this.#left(node, network);
  }

  #moved(network: NetworkId): void {
    this.#waiters.moved(network);
    for (const listener of this.#listeners) listener(network);
  }
}

function lower(floor: bigint | undefined, revision: bigint): bigint {
  return floor === undefined ? revision : earlier(floor, revision);
}
