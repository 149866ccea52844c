import type { NetworkId, NodeId } from '@causeway/model';
import { later } from '../store/moment.ts';

/** What a host has reported about a network in its present session. */
interface ReportedState {
  /** The newest revision that the host's kernel follows; 0: no report yet. */
  readonly applied: bigint;
  /** Latencies are measured for steps after this revision; undefined: for none, the host may have had the steps before. */
  readonly timedFrom?: bigint;
}

/** What the hosts have reported in their present sessions, and which networks they may still hold. */
export class ReportedStates {
  readonly #sessions = new Map<NodeId, Map<NetworkId, ReportedState>>();
  readonly #lost = new Map<NodeId, number>();
  /** Hosts that have no endpoint of the network any more and may still hold the network. */
  readonly #leaving = new Map<NetworkId, Set<NodeId>>();
  #termBegan = 0;

  /** A term begins: no host has reported to the new leader yet. */
  reset(now: number): void {
    this.#sessions.clear();
    this.#lost.clear();
    this.#leaving.clear();
    this.#termBegan = now;
  }

  sessionBegan(node: NodeId): void {
    this.forget(node);
    this.#sessions.set(node, new Map());
  }

  sessionEnded(node: NodeId, now: number): void {
    this.#sessions.delete(node);
    this.#lost.set(node, now);
  }

  forget(node: NodeId): void {
    this.#sessions.delete(node);
    this.#lost.delete(node);
    for (const network of [...this.#leaving.keys()]) this.#left(node, network);
  }

  /** Returns the revision after which the host's latencies are measured; undefined: none is measured. */
  applied(node: NodeId, network: NetworkId, revision: bigint): bigint | undefined {
    const reports = this.#sessions.get(node);
    const { applied, timedFrom } = reports?.get(network) ?? { applied: 0n };
    reports?.set(network, { applied: later(applied, revision), timedFrom: later(timedFrom ?? 0n, revision) });
    this.#left(node, network);
    return timedFrom;
  }

  withdrawn(node: NodeId, network: NetworkId): void {
    this.#sessions.get(node)?.delete(network);
    this.#left(node, network);
  }

  /** Sets the revision after which the host's latencies are measured; undefined: none is measured. */
  setTiming(node: NodeId, network: NetworkId, timedFrom: bigint | undefined): void {
    const applied = this.appliedBy(node, network);
    this.#sessions.get(node)?.set(network, { applied, ...(timedFrom !== undefined && { timedFrom }) });
  }

  /** The host has no endpoint of the network any more, and its kernel follows some time later. */
  leaves(node: NodeId, network: NetworkId): void {
    const leaving = this.#leaving.get(network) ?? new Set();
    this.#leaving.set(network, leaving.add(node));
  }

  hasSession(node: NodeId): boolean {
    return this.#sessions.has(node);
  }

  /** How long, ms, the term has lasted in which the host had no session yet; undefined: it has or had one. */
  awaitedFor(node: NodeId, now: number): number | undefined {
    return this.#sessions.has(node) || this.#lost.has(node) ? undefined : now - this.#termBegan;
  }

  /** When the host's session was lost, ms on the monotonic clock; undefined while the host has a session. */
  silentSince(node: NodeId): number | undefined {
    return this.#sessions.has(node) ? undefined : (this.#lost.get(node) ?? this.#termBegan);
  }

  appliedBy(node: NodeId, network: NetworkId): bigint {
    return this.#sessions.get(node)?.get(network)?.applied ?? 0n;
  }

  isLeaving(node: NodeId, network: NetworkId): boolean {
    return this.#leaving.get(network)?.has(node) === true;
  }

  leavingFrom(network: NetworkId): Iterable<NodeId> {
    return this.#leaving.get(network) ?? [];
  }

  /** Networks in which the host has no endpoint any more, and which it may still hold. */
  leftBy(node: NodeId): readonly NetworkId[] {
    return [...this.#leaving].flatMap(([network, nodes]) => (nodes.has(node) ? [network] : []));
  }

  #left(node: NodeId, network: NetworkId): void {
    const leaving = this.#leaving.get(network);
    leaving?.delete(node);
    if (leaving?.size === 0) this.#leaving.delete(network);
  }
}
