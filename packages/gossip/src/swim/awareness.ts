/**
 * How well this node itself seems to work: 0 is healthy. A node that gets no answers may be the one that is broken, so it
 * waits longer before it accuses others (Lifeguard's Local Health Multiplier).
 */
export class Awareness {
  score = 0;
  readonly #max: number;

  /** The score stays below `max`. */
  constructor(max: number) {
    this.#max = max;
  }

  add(delta: number): void {
    this.score = Math.min(Math.max(this.score + delta, 0), this.#max - 1);
  }

  scale(span: number): number {
    return span * (this.score + 1);
  }
}

/** What a probe says about this node's health. */
export function healthDelta(outcome: 'answered' | 'silent', expectedNacks: number, nacks: number): number {
  if (outcome === 'answered') return -1;
  // Relays that send no nack either are unreachable too, which speaks against this node.
  return expectedNacks > 0 ? Math.max(0, expectedNacks - nacks) : 1;
}
