import type { NetworkId, NodeId } from '@causeway/model';
import type { Clock } from '@causeway/runtime';
import type { HostsProgress } from '../ipam/cooldown.ts';
import { earlier } from '../store/moment.ts';
import type { View } from '../store/view.ts';
import { absentAfter } from './identity-conflicts.ts';
import { ProgressWaiters } from './progress-waiters.ts';
import type { Publication } from './publisher.ts';
import { ReportedStates } from './reported-states.ts';
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
  readonly #reported = new ReportedStates();
  readonly #latencies = new StepLatencies();
  readonly #waiters = new ProgressWaiters((network) => this.#floor(network));
  readonly #listeners = new Set<(network: NetworkId) => void>();

  constructor(parts: HostProgressParts) {
    this.#parts = parts;
  }

  /** A term begins: no host has reported to the new leader yet. */
  reset(): void {
    this.#reported.reset(this.#parts.clock.now());
  }

  /** A session began. `held`: the networks that the host says it has. The host reports later what its kernel has applied. */
  sessionBegan(node: NodeId, held: Iterable<NetworkId>): void {
    const touched = new Set([...this.#networksOf(node), ...held]);
    this.#reported.sessionBegan(node);
    for (const network of held) if (!this.#isHost(node, network)) this.#reported.leaves(node, network);
    for (const network of touched) this.#moved(network);
  }

  sessionEnded(node: NodeId): void {
    this.#reported.sessionEnded(node, this.#parts.clock.now());
    for (const network of this.#networksOf(node)) this.#moved(network);
  }

  /** The host's record was removed. */
  forget(node: NodeId): void {
    const touched = this.#networksOf(node);
    this.#reported.forget(node);
    for (const network of touched) this.#moved(network);
  }

  /** A host that loses the network is `leaving`: its kernel follows some time later. */
  published(publication: Publication): void {
    const network = publication.kind === 'vanished' ? publication.network : publication.table.id;
    if (publication.kind === 'moved') {
      const { from, to, joined } = publication;
      this.#latencies.stepped(network, from, to, this.#parts.clock.now());
      for (const node of joined) this.#reported.setTiming(node, network, from);
    }
    for (const node of publication.left) {
      this.#reported.leaves(node, network);
      this.#reported.setTiming(node, network, undefined);
    }
    if (publication.kind === 'vanished' || publication.left.length > 0) this.#waiters.moved(network);
  }

  /** Ignores reports about networks that the host is not subscribed to. Limits the revision to that of the table. */
  applied(node: NodeId, network: NetworkId, revision: bigint): void {
    const table = this.#parts.tables.get(network);
    if (!this.#reported.hasSession(node) || !table?.hosts.has(node)) return;
    const now = earlier(revision, table.revision);
    const timedFrom = this.#reported.applied(node, network, now);
    if (timedFrom !== undefined) this.#latencies.applied(network, timedFrom, now, this.#parts.clock.now());
    this.#moved(network);
  }

  /**
   * The host reports that nothing of the network is left. Ignored if the host has the network again: a new report follows.
   */
  withdrawn(node: NodeId, network: NetworkId): void {
    if (this.#isHost(node, network)) return;
    this.#reported.withdrawn(node, network);
    this.#moved(network);
  }

  /** Progress of all hosts that may hold something of a network: its hosts, and those it was withdrawn from. */
  of(network: NetworkId): HostsProgress {
    let floor: bigint | undefined;
    let silentSince: number | undefined;
    for (const node of new Set([...this.#hosts(network), ...this.#reported.leavingFrom(network)])) {
      const silent = this.silentSince(node);
      if (silent !== undefined) silentSince = Math.max(silentSince ?? silent, silent);
      else floor = lower(floor, this.#reported.appliedBy(node, network));
    }
    return { ...(floor === undefined ? {} : { floor }), ...(silentSince === undefined ? {} : { silentSince }) };
  }

  /**
   * Whether the host may be about to come to this manager, which leads since a moment: it was connected to the former leader,
   * for all that this manager knows.
   */
  isAwaited(node: NodeId, now: number): boolean {
    const span = this.#reported.awaitedFor(node, now);
    return span !== undefined && span <= absentAfter;
  }

  /** When the host's session was lost, ms on the monotonic clock; undefined while the host has a session. */
  silentSince(node: NodeId): number | undefined {
    return this.#reported.silentSince(node);
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
      if (!this.#reported.hasSession(node)) unreachable.push(node);
      else if (this.#reported.appliedBy(node, network) >= revision) have++;
      else waiting.push(node);
    }
    const p99Ms = this.#latencies.p99(network, revision);
    return { revision, have, want: have + waiting.length, waiting, unreachable, p99Ms };
  }

  /** Whether the host has reported the present revision of the network; undefined: the network does not exist. */
  heldBy(node: NodeId, network: NetworkId): { readonly revision: bigint; readonly applied: boolean } | undefined {
    const revision = this.#parts.tables.get(network)?.revision;
    return revision === undefined
      ? undefined
      : { revision, applied: this.#reported.appliedBy(node, network) >= revision };
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
    if (!this.#reported.hasSession(node)) return false;
    if (this.#isHost(node, network)) return this.#reported.appliedBy(node, network) >= revision;
    return !this.#reported.isLeaving(node, network);
  }

  /** The revision that every host of the network with a session has applied; undefined: no host has a session. */
  #floor(network: NetworkId): bigint | undefined {
    let floor: bigint | undefined;
    for (const node of this.#hosts(network))
      if (this.#reported.hasSession(node)) floor = lower(floor, this.#reported.appliedBy(node, network));
    return floor;
  }

  #hosts(network: NetworkId): Iterable<NodeId> {
    return this.#parts.tables.get(network)?.hosts.keys() ?? [];
  }

  #isHost(node: NodeId, network: NetworkId): boolean {
    return this.#parts.tables.get(network)?.hosts.has(node) ?? false;
  }

  /** Networks in which the host has an endpoint, and networks that the host may still hold. */
  #networksOf(node: NodeId): ReadonlySet<NetworkId> {
    return new Set([...this.#parts.view.networksOn(node), ...this.#reported.leftBy(node)]);
  }

  #moved(network: NetworkId): void {
    this.#waiters.moved(network);
    for (const listener of this.#listeners) listener(network);
  }
}

function lower(floor: bigint | undefined, revision: bigint): bigint {
  return floor === undefined ? revision : earlier(floor, revision);
}
