import { leastLost, silence } from './rules.ts';

/** The probes of one kind since the last answer. */
export class Losses {
  #first: number | undefined;
  #count = 0;

  /** When the first of them was sent; undefined: none was. */
  get first(): number | undefined {
    return this.#first;
  }

  sent(now: number): void {
    this.#first ??= now;
    this.#count++;
  }

  reset(): void {
    this.#first = undefined;
    this.#count = 0;
  }

  /** Whether they are enough for a verdict. */
  areMany(now: number): boolean {
    return this.#first !== undefined && this.#count >= leastLost && now - this.#first >= silence;
  }
}

/** Answers between which is no silence. */
export class Streak {
  #last: number | undefined;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Returns whether the answer is the first one. */
  answered(now: number): boolean {
    const isFirst = this.#last === undefined || now - this.#last > silence;
    this.#count = isFirst ? 1 : this.#count + 1;
    this.#last = now;
    return isFirst;
  }

  reset(): void {
    this.#last = undefined;
    this.#count = 0;
  }
}
