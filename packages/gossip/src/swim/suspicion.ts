import type { Profile } from './profile.ts';

/** How long a suspicion of a cluster of so many nodes lasts, and how many confirmations end it soonest. */
export interface SuspicionTerms {
  readonly confirmations: number;
  readonly min: number;
  readonly max: number;
}

export function suspicionTerms(profile: Profile, nodes: number): SuspicionTerms {
  const wanted = profile.suspicionMult - 2;
  const min = profile.suspicionMult * Math.max(1, Math.log10(Math.max(1, nodes))) * profile.probeInterval;
  // Besides the accuser and the accused, there must be enough nodes to confirm.
  const confirmations = nodes - 2 < wanted ? 0 : wanted;
  return { confirmations, min, max: min * profile.suspicionMaxMult };
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
  readonly since: number;
  readonly #accusers: Set<string>;

  constructor(terms: SuspicionTerms, accuser: string, since: number) {
    this.terms = terms;
    this.since = since;
    this.#accusers = new Set([accuser]);
  }

  get deadline(): number {
    return this.since + suspicionTimeout(this.terms, this.#accusers.size - 1);
  }

  /** False: the accuser adds nothing new. */
  confirm(accuser: string): boolean {
    if (this.#accusers.size > this.terms.confirmations || this.#accusers.has(accuser)) return false;
    this.#accusers.add(accuser);
    return true;
  }
}
