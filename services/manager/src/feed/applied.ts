import type { NetworkId, NodeId } from '@causeway/model';

/**
 * Latencies are kept for this many of the newest steps over all networks; with 1,000 hosts on each that is 32 MiB. An
 * older change has no p99 any more, which is then told as 0.
 */
export const keptSteps = 4096;

interface Step {
  readonly network: NetworkId;
  readonly from: bigint;
  readonly to: bigint;
  /** When this manager saw it, on its monotonic clock. */
  readonly at: number;
  /** Of each host that has applied it, from `at` to its report, ms. */
  readonly latencies: number[];
}

/** Who has programmed what: for each host and network the newest revision it reported, and how long the newest steps took. */
export class AppliedVector {
  readonly #revisions = new Map<NodeId, Map<NetworkId, bigint>>();
  readonly #steps = new Map<NetworkId, Step[]>();
  readonly #order: Step[] = [];

  /** The network moved. Hosts `joining` by this step start before it, so their latency of it counts. */
  stepped(network: NetworkId, from: bigint, to: bigint, joining: Iterable<NodeId>, now: number): void {
    const step = { network, from, to, at: now, latencies: [] };
    const steps = this.#steps.get(network);
    if (steps === undefined) this.#steps.set(network, [step]);
    else steps.push(step);
    this.#order.push(step);
    if (this.#order.length > 2 * keptSteps) this.#forgetOldSteps();
    for (const node of joining) this.#row(node).set(network, from);
  }

  /** A host reported; false when that was nothing new. */
  reported(node: NodeId, network: NetworkId, revision: bigint, now: number): boolean {
    const row = this.#row(node);
    const before = row.get(network);
    if (before !== undefined && before >= revision) return false;
    row.set(network, revision);
    if (before === undefined) return true;
    const steps = this.#steps.get(network) ?? [];
    for (let i = steps.length - 1; i >= 0; i--) {
      const step = steps[i];
      if (step === undefined || step.to <= before) break;
      if (step.to <= revision) step.latencies.push(now - step.at);
    }
    return true;
  }

  revisionOf(node: NodeId, network: NetworkId): bigint | undefined {
    return this.#revisions.get(node)?.get(network);
  }

  /** A session began or ended: what its host's kernel holds is known again by its next report. */
  forgetNode(node: NodeId): void {
    this.#revisions.delete(node);
  }

  forget(node: NodeId, network: NetworkId): void {
    this.#revisions.get(node)?.delete(network);
  }

  /** Of the step that brought this revision; empty when it is too old. */
  latencies(network: NetworkId, revision: bigint): readonly number[] {
    return this.#steps.get(network)?.find((step) => step.from < revision && revision <= step.to)?.latencies ?? [];
  }

  #row(node: NodeId): Map<NetworkId, bigint> {
    let row = this.#revisions.get(node);
    if (row === undefined) {
      row = new Map();
      this.#revisions.set(node, row);
    }
    return row;
  }

  /** Half at a time, so that each step costs a constant. */
  #forgetOldSteps(): void {
    for (const step of this.#order.splice(0, this.#order.length - keptSteps)) {
      const steps = this.#steps.get(step.network);
      // Steps of one network leave in the order they came.
      steps?.shift();
      if (steps?.length === 0) this.#steps.delete(step.network);
    }
  }
}

/** Answer to "who has it", by node; the API puts names in. */
export interface AppliedSummary {
  readonly have: number;
  /** Hosts of the network with a session. */
  readonly want: number;
  readonly waiting: readonly NodeId[];
  /** Hosts of the network without a session. */
  readonly unreachable: readonly NodeId[];
  /** Milliseconds; 0 when nobody has it or the change is too old. */
  readonly p99Ms: number;
}

export function summarise(
  vector: AppliedVector,
  network: NetworkId,
  revision: bigint,
  hosts: Iterable<NodeId>,
  hasSession: (node: NodeId) => boolean,
): AppliedSummary {
  const waiting: NodeId[] = [];
  const unreachable: NodeId[] = [];
  let have = 0;
  for (const node of hosts) {
    if (!hasSession(node)) unreachable.push(node);
    else if ((vector.revisionOf(node, network) ?? 0n) >= revision) have++;
    else waiting.push(node);
  }
  const p99Ms = percentile(vector.latencies(network, revision), 0.99);
  return { have, want: have + waiting.length, waiting, unreachable, p99Ms };
}

/** Nearest rank; 0 of nothing. */
export function percentile(values: readonly number[], rank: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(rank * sorted.length) - 1)] ?? 0;
}
