import type { Profile } from './profile.ts';

/** How long a suspicion of a cluster of so many nodes lasts, and how many confirmations end it soonest. */
export interface SuspicionTerms {
  readonly confirmations: number;
  readonly min: number;
  readonly max: number;
  /** A verdict of those who looked for themselves: undefined in memberlist. */
  readonly quorum?: QuorumTerms | undefined;
}

/** So many accusers end the suspicion after `hold`; after `refusedHold` if its process is known to be gone. */
export interface QuorumTerms {
  readonly accusers: number;
  readonly hold: number;
  readonly refusedHold: number;
}

export function suspicionTerms(profile: Profile, nodes: number): SuspicionTerms {
  const wanted = profile.suspicionMult - 2;
  const min = profile.suspicionMult * Math.max(1, Math.log10(Math.max(1, nodes))) * profile.probeInterval;
  // Besides the accuser and the accused, there must be enough nodes to confirm.
  const confirmations = nodes - 2 < wanted ? 0 : wanted;
  return { confirmations, min, max: min * profile.suspicionMaxMult };
}

/** How many of the observers have to agree: 5 of 8, 3 of 4, 2 of 2. */
export function quorumOf(observers: number): number {
  return Math.ceil(observers * 0.6);
}

/** How long a suspicion lasts from its start, with so many confirmations by others. */
export function suspicionTimeout({ confirmations, min, max }: SuspicionTerms, confirmed: number): number {
  if (confirmations < 1) return min;
  const share = Math.log(confirmed + 1) / Math.log(confirmations + 1);
  return Math.max(min, Math.floor(max - share * (max - min)));
}

/** A suspicion of one node: who accuses, since when. */
export class Suspicion {
  readonly terms: SuspicionTerms;
  readonly #accusers: Set<string>;
  #since: number;
  /** The process of the node refused a connection twice. */
  isRefused = false;

  constructor(terms: SuspicionTerms, accuser: string, since: number) {
    this.terms = terms;
    this.#since = since;
    this.#accusers = new Set([accuser]);
  }

  get deadline(): number {
    const slow = suspicionTimeout(this.terms, this.#accusers.size - 1);
    const { quorum } = this.terms;
    if (quorum === undefined || this.#accusers.size < quorum.accusers) return this.#since + slow;
    return this.#since + Math.min(slow, this.isRefused ? quorum.refusedHold : quorum.hold);
  }

  isBy(accuser: string): boolean {
    return this.#accusers.has(accuser);
  }

  /** False: the accuser adds nothing new. */
  confirm(accuser: string): boolean {
    const wanted = Math.max(this.terms.confirmations + 1, this.terms.quorum?.accusers ?? 0);
    if (this.#accusers.size >= wanted || this.#accusers.has(accuser)) return false;
    this.#accusers.add(accuser);
    return true;
  }

  /** For so long nothing could be heard, a refutation neither. */
  postpone(span: number): void {
    this.#since += span;
  }
}
