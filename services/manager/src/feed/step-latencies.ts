import type { NetworkId } from '@causeway/model';

/**
 * Latencies are kept for this many of the newest steps of all networks together; with 1,000 hosts on each that is 32 MiB. An
 * older change has no p99 any more, and 0 is reported.
 */
export const keptSteps = 4096;

interface Step {
  readonly network: NetworkId;
  readonly from: bigint;
  readonly to: bigint;
  /** When this manager saw the step, ms on its monotonic clock. */
  readonly at: number;
  /** For each host that has applied the step: time from `at` to the host's report, ms. */
  readonly latencies: number[];
}

/** How long hosts took to apply each of the newest steps. */
export class StepLatencies {
  readonly #steps = new Map<NetworkId, Step[]>();
  readonly #order: Step[] = [];

  stepped(network: NetworkId, from: bigint, to: bigint, now: number): void {
    const step = { network, from, to, at: now, latencies: [] };
    const steps = this.#steps.get(network);
    if (steps === undefined) this.#steps.set(network, [step]);
    else steps.push(step);
    this.#order.push(step);
    if (this.#order.length > 2 * keptSteps) this.#forgetOldSteps();
  }

  /** A host that had everything up to `from` has it up to `to`. */
  applied(network: NetworkId, from: bigint, to: bigint, now: number): void {
    const steps = this.#steps.get(network) ?? [];
    for (let i = steps.length - 1; i >= 0; i--) {
      const step = steps[i];
      if (step === undefined || step.to <= from) break;
      if (step.to <= to) step.latencies.push(now - step.at);
    }
  }

  /** Latencies of the step that brought this revision; empty if the step is too old. */
  of(network: NetworkId, revision: bigint): readonly number[] {
    return this.#steps.get(network)?.find((step) => step.from < revision && revision <= step.to)?.latencies ?? [];
  }

  /** Drops half of the steps at a time, so that the cost for each step is constant. */
  #forgetOldSteps(): void {
    for (const step of this.#order.splice(0, this.#order.length - keptSteps)) {
      const steps = this.#steps.get(step.network);
      // Steps of one network are dropped in order of arrival.
      steps?.shift();
      if (steps?.length === 0) this.#steps.delete(step.network);
    }
  }
}

/** Nearest rank; 0 if there are no values. */
export function percentile(values: readonly number[], rank: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(rank * sorted.length) - 1)] ?? 0;
}
