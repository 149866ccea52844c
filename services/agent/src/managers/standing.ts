import { CausewayError, type Name } from '@causeway/model';

/** What the managers have decided about this host, as far as its agent has heard. */
export class Standing {
  readonly #name: Name;
  #isDrained = false;
  #removed: CausewayError | undefined;

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

  /** Why the managers refuse this host for good; undefined: they do not. */
  get removed(): CausewayError | undefined {
    return this.#removed;
  }

  /** The managers have removed this host. Nothing that the agent could say changes that. */
  refused(removed: CausewayError): void {
    this.#removed = removed;
  }

  /** @throws CausewayError node-removed */
  checkMember(): void {
    if (this.#removed !== undefined) throw this.#removed;
  }

  /**
   * The check before a new endpoint is claimed. The managers check the same; they need not be asked when the answer is
   * known. @throws CausewayError node-drained, node-removed
   */
  checkNew(): void {
    this.checkMember();
    if (!this.#isDrained) return;
    const message = `host ${this.#name} is drained and gets no new endpoints: attach on another host, or run causeway node undrain ${this.#name}`;
    throw new CausewayError('node-drained', message, { host: this.#name });
  }
}
