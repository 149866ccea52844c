import type { Index } from './kind.ts';

/** Records whose key has one part, by this part. */
export class MapIndex<Name extends string, Key, Kept> implements Index<Readonly<Record<Name, Key>>, Kept> {
  readonly #name: Name;
  readonly #all = new Map<Key, Kept>();

  constructor(name: Name) {
    this.#name = name;
  }

  get all(): ReadonlyMap<Key, Kept> {
    return this.#all;
  }

  get(parts: Readonly<Record<Name, Key>>): Kept | undefined {
    return this.#all.get(parts[this.#name]);
  }

  set(parts: Readonly<Record<Name, Key>>, kept: Kept): void {
    this.#all.set(parts[this.#name], kept);
  }

  delete(parts: Readonly<Record<Name, Key>>): void {
    this.#all.delete(parts[this.#name]);
  }
}

/** Index of a kind that has a single record. */
export class SingleIndex<Kept> implements Index<unknown, Kept> {
  #kept: Kept | undefined;

  get(): Kept | undefined {
    return this.#kept;
  }

  set(_parts: unknown, kept: Kept): void {
    this.#kept = kept;
  }

  delete(): void {
    this.#kept = undefined;
  }
}
