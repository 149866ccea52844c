import type { Credential } from '../credential.ts';

/** The credential that a process uses now. It is replaced when it was renewed; new connections then use the new one. */
export class LiveCredential {
  #current: Credential;
  readonly #listeners = new Set<() => void>();

  constructor(first: Credential) {
    this.#current = first;
  }

  get current(): Credential {
    return this.#current;
  }

  replace(next: Credential): void {
    this.#current = next;
    for (const listener of this.#listeners) listener();
  }

  /** Returns a function that ends the subscription. */
  onReplace(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
