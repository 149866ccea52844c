import type { Difference } from '@causeway/datapath';

/** Those who ask what other programs have changed. Each is answered by the first round that begins after the question. */
export class Verifications {
  /** For the next round. */
  #asking: ((drift: readonly Difference[]) => void)[] = [];
  /** For the present round. */
  #asked: ((drift: readonly Difference[]) => void)[] = [];

  ask(): Promise<readonly Difference[]> {
    return new Promise((resolve) => this.#asking.push(resolve));
  }

  /** A round begins. */
  begin(): void {
    this.#asked.push(...this.#asking.splice(0));
  }

  answer(drift: readonly Difference[]): void {
    for (const answer of this.#asked.splice(0)) answer(drift);
  }

  /** No round follows. */
  end(): void {
    this.begin();
    this.answer([]);
  }
}
