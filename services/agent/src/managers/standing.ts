import { CausewayError, type Name } from '@causeway/model';

/** What the managers have decided about this host, as far as its agent has heard. */
export class Standing {
  readonly #name: Name;
  #isDrained = false;

  /** `name`: the name of this host. */
  constructor({ name }: { readonly name: Name }) {
    this.#name = name;
  }

  get isDrained(): boolean {
    return this.#isDrained;
  }

  drained(isDrained: boolean): void {
    this.#isDrained = isDrained;
  }

  /**
   * The check before a new endpoint is claimed. The managers check the same; they need not be asked when the answer is
   * known. @throws CausewayError node-drained
   */
  checkNew(): void {
    if (!this.#isDrained) return;
    const message = `host ${this.#name} is drained and gets no new endpoints: attach on another host, or run causeway node undrain ${this.#name}`;
    throw new CausewayError('node-drained', message, { host: this.#name });
  }
}
