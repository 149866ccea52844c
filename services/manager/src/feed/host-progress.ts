import type { NetworkId, NodeId } from '@causeway/model';
import type { Clock } from '@causeway/runtime';
import type { HostsProgress } from '../ipam/cooldown.ts';
import { earlier, later } from '../store/moment.ts';
import type { View } from '../store/view.ts';
import { ProgressWaiters } from './progress-waiters.ts';
import type { Publication } from './publisher.ts';
import { StepLatencies } from './step-latencies.ts';
import type { Tables } from './steps.ts';

/** Which hosts have a revision of a network, by node id. The API adds names. */
export interface AppliedSummary {
  readonly revision: bigint;
  readonly have: number;
  /** Hosts of the network with a session. */
  readonly want: number;
  readonly waiting: readonly NodeId[];
  /** Hosts of the network without a session. */
  readonly unreachable: readonly NodeId[];
  /** 99th percentile of the time to apply, ms; 0 if no host has the revision, or if the change is too old. */
  readonly p99Ms: number;
}

/** What a host has reported about a network in its present session. */
interface ReportedState {
  /** The newest revision that the host's kernel follows; 0: no report yet. */
  readonly applied: bigint;
  /** Latencies are measured for steps after this revision; undefined: for none, the host may have had the steps before. */
  readonly timedFrom?: bigint;
}

export interface HostProgressParts {
  readonly tables: Tables;
  readonly view: Pick<View, 'networksOn'>;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * What the hosts' kernels hold, as the hosts have reported in their present sessions. A host that lost its last endpoint of
 * a network still counts until the host reports that nothing of the network is left. A host without a session counts as
 * lost since its session ended; before its first session with this leader, since the leader's term began.
 */
export class HostProgress {
  readonly #parts: HostProgressParts;
  readonly #sessions = new Map<NodeId, Map<NetworkId, ReportedState>>();
  readonly #lost = new Map<NodeId, number>();
  /** Hosts that have no endpoint of the network any more and may still hold the network. */
  readonly #leaving = new Map<NetworkId, Set<NodeId>>();
  readonly #latencies = new StepLatencies();
  readonly #waiters = new ProgressWaiters((network) => this.#floor(network));
  readonly #listeners = new Set<(network: NetworkId) => void>();
  #termBegan = 0;

  constructor(parts: HostProgressParts) {
    this.#parts = parts;
  }

  /** A term begins: no host has reported to the new leader yet. */
  reset(): void {
    this.#sessions.clear();
    this.#lost.clear();
    this.#leaving.clear();
    this.#termBegan = this.#parts.clock.now();
  }

  /** A session began. `held`: the networks that the host says it has. The host reports later what its kernel has applied. */
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

  /** The host's record was removed. */
  forget(node: NodeId): void {
    const touched = this.#networksOf(node);
    this.#drop(node);
    for (const network of touched) this.#moved(network);
  }

  /** A host that loses the network is `leaving`: its kernel follows some time later. */
  published(publication: Publication): void {
    const network = publication.kind === 'vanished' ? publication.network : publication.table.id;
    if (publication.kind === 'moved') {
      const { from, to, joined } = publication;
      this.#latencies.stepped(network, from, to, this.#parts.clock.now());
      for (const node of joined) this.#setTiming(node, network, { timedFrom: from });
    }
    for (const node of publication.left) {
      this.#leaves(node, network);
      this.#setTiming(node, network, { timedFrom: undefined });
    }
    if (publication.kind === 'vanished' || publication.left.length > 0) this.#waiters.moved(network);
  }

  /** Ignores reports about networks that the host is not subscribed to. Limits the revision to that of the table. */
  applied(node: NodeId, network: NetworkId, revision: bigint): void {
    const table = this.#parts.tables.get(network);
    const reports = this.#sessions.get(node);
    if (reports === undefined || !table?.hosts.has(node)) return;
    const now = earlier(revision, table.revision);
    const { applied, timedFrom } = reports.get(network) ?? { applied: 0n };
    if (timedFrom !== undefined) this.#latencies.applied(network, timedFrom, now, this.#parts.clock.now());
    reports.set(network, { applied: later(applied, now), timedFrom: later(timedFrom ?? 0n, now) });
    this.#left(node, network);
    this.#moved(network);
  }

  /**
   * The host reports that nothing of the network is left. Ignored if the host has the network again: a new report follows.
   */
  withdrawn(node: NodeId, network: NetworkId): void {
    if (this.#isHost(node, network)) return;
    this.#sessions.get(node)?.delete(network);
    this.#left(node, network);
    this.#moved(network);
  }

  /** Progress of all hosts that may hold something of a network: its hosts, and those it was withdrawn from. */
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

  /** When the host's session was lost, ms on the monotonic clock; undefined while the host has a session. */
  silentSince(node: NodeId): number | undefined {
    return this.#sessions.has(node) ? undefined : (this.#lost.get(node) ?? this.#termBegan);
  }

  /** Which hosts have the present revision of the network; undefined: the network does not exist. */
  summaryNow(network: NetworkId): AppliedSummary | undefined {
    const revision = this.#parts.tables.get(network)?.revision;
    return revision === undefined ? undefined : this.summaryOf(network, revision);
  }

  /** Which hosts have the network up to the revision. */
  summaryOf(network: NetworkId, revision: bigint): AppliedSummary {
    const waiting: NodeId[] = [];
    const unreachable: NodeId[] = [];
    let have = 0;
    for (const node of this.#hosts(network)) {
      if (!this.#sessions.has(node)) unreachable.push(node);
      else if (this.#appliedBy(node, network) >= revision) have++;
      else waiting.push(node);
    }
    const p99Ms = this.#latencies.p99(network, revision);
    return { revision, have, want: have + waiting.length, waiting, unreachable, p99Ms };
  }

  /** Whether the host has reported the present revision of the network; undefined: the network does not exist. */
  heldBy(node: NodeId, network: NetworkId): { readonly revision: bigint; readonly applied: boolean } | undefined {
    const revision = this.#parts.tables.get(network)?.revision;
    return revision === undefined ? undefined : { revision, applied: this.#appliedBy(node, network) >= revision };
  }

  /** Resolves when every host of the network that has a session has applied the revision, or the signal aborts. */
  async waitApplied(network: NetworkId, revision: bigint, signal: AbortSignal): Promise<void> {
    await this.#waiters.wait(network, (floor) => (floor() ?? revision) >= revision, signal);
  }

  /**
   * Resolves with true when the host's kernel follows the network up to the revision, with false if the signal aborts first.
   */
  waitFollowed(node: NodeId, network: NetworkId, revision: bigint, signal: AbortSignal): Promise<boolean> {
    return this.#waiters.wait(network, () => this.#follows(node, network, revision), signal);
  }

  /** Number of networks with a waiting caller. */
  get waiting(): number {
    return this.#waiters.size;
  }

  /** Calls the listener when the progress of a network may have changed. Returns the way to stop listening. */
  subscribe(listener: (network: NetworkId) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The host has reported that its kernel follows the network up to the revision, or holds nothing of the network. */
  #follows(node: NodeId, network: NetworkId, revision: bigint): boolean {
    if (!this.#sessions.has(node)) return false;
    if (this.#isHost(node, network)) return this.#appliedBy(node, network) >= revision;
    return this.#leaving.get(network)?.has(node) !== true;
  }

  /** The revision that every host of the network with a session has applied; undefined: no host has a session. */
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

  /** Networks in which the host has an endpoint, and networks that the host may still hold. */
  #networksOf(node: NodeId): ReadonlySet<NetworkId> {
    const leaving = [...this.#leaving].flatMap(([network, nodes]) => (nodes.has(node) ? [network] : []));
    return new Set([...this.#parts.view.networksOn(node), ...leaving]);
  }

  #setTiming(node: NodeId, network: NetworkId, { timedFrom }: { readonly timedFrom: bigint | undefined }): void {
    const reports = this.#sessions.get(node);
    const applied = reports?.get(network)?.applied ?? 0n;
    reports?.set(network, { applied, ...(timedFrom !== undefined && { timedFrom }) });
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
