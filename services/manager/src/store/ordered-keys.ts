import type { KeySpan } from './store.ts';

/** Keys in order, found by binary search. */
export class OrderedKeys {
  readonly #keys: string[] = [];

  add(key: string): void {
    const at = this.#firstFrom(key);
    if (this.#keys[at] !== key) this.#keys.splice(at, 0, key);
  }

  delete(key: string): void {
    const at = this.#firstFrom(key);
    if (this.#keys[at] === key) this.#keys.splice(at, 1);
  }

  in({ from, before }: KeySpan): readonly string[] {
    return this.#keys.slice(this.#firstFrom(from), this.#firstFrom(before));
  }

  under(prefix: string): readonly string[] {
    const found: string[] = [];
    for (let at = this.#firstFrom(prefix); at < this.#keys.length; at++) {
      const key = this.#keys[at];
      if (key === undefined || !key.startsWith(prefix)) break;
      found.push(key);
    }
    return found;
  }

  hasIn({ from, before }: KeySpan): boolean {
    const first = this.#keys[this.#firstFrom(from)];
    return first !== undefined && first < before;
  }

  /** Position of the first key that is not less than `key`. */
  #firstFrom(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
