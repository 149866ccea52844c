import type { NetworkId } from '@causeway/model';

/**
 * Latencies are kept for this many of the newest steps of all networks together. An older change has no p99 any more, and 0 is
 * reported.
 */
export const keptSteps = 4096;

interface Step {
  readonly network: NetworkId;
  readonly from: bigint;
  readonly to: bigint;
  /** When this manager saw the step, ms on its monotonic clock. */
  readonly at: number;
  /** How many hosts have applied the step. */
  applied: number;
  /**
   * Times from `at` to a host's report, ms: those of the last hundredth of the reports, and the one before. Reports arrive in
   * the order of their times, so the first is the 99th percentile (nearest rank) of all.
   */
  readonly slowest: number[];
}

/** How long hosts took to apply each of the newest steps. */
export class StepLatencies {
  readonly #steps = new Map<NetworkId, Step[]>();
  readonly #order: Step[] = [];

  stepped(network: NetworkId, from: bigint, to: bigint, now: number): void {
    const step = { network, from, to, at: now, applied: 0, slowest: [] };
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
      if (step.to <= to) report(step, now);
    }
  }

  /** 99th percentile for the step that brought this revision, ms; 0 if no host has applied the step, or it is too old. */
  p99(network: NetworkId, revision: bigint): number {
    const step = this.#steps.get(network)?.find(({ from, to }) => from < revision && revision <= to);
    return step?.slowest[0] ?? 0;
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

function report(step: Step, now: number): void {
  step.applied++;
  step.slowest.push(now - step.at);
  if (step.slowest.length > 1 + Math.floor(step.applied / 100)) step.slowest.shift();
}
