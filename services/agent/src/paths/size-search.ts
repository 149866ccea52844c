import { searchStep } from './rules.ts';

/** A size counts as too large after this many probes without an answer. */
const tries = 2;

/** Finds the largest packet that a path carries, by halving. All sizes in bytes. */
export class SizeSearch {
  #passes: number;
  #fails: number;
  /** Probes of the present size that were sent. */
  #tried = 0;

  /** The first size is known to pass, the other one to fail. */
  constructor(passes: number, fails: number) {
    this.#passes = passes;
    this.#fails = fails;
  }

  get largest(): number {
    return this.#passes;
  }

  get isOver(): boolean {
    return this.#fails - this.#passes <= searchStep;
  }

  /** The size of the next probe, which is sent now. Its answer comes before the next call, or is missing. */
  next(): number {
    if (this.#tried >= tries) {
      this.#fails = this.#middle;
      this.#tried = 0;
    }
    this.#tried++;
    return this.#middle;
  }

  answered(size: number): void {
    if (size <= this.#passes || size >= this.#fails) return;
    this.#passes = size;
    this.#tried = 0;
  }

  get #middle(): number {
    return Math.floor((this.#passes + this.#fails) / 2);
  }
}
