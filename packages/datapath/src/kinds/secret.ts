/**
 * A value that no text shows: ops and states are printed, logged and told over the network, and a key must not be. It takes
 * `reveal` to get at it, which belongs where the message to the kernel is written.
 */
export class Secret<Value> {
  readonly #value: Value;

  constructor(value: Value) {
    this.#value = value;
  }

  reveal(): Value {
    return this.#value;
  }

  /** In a template: "aead rfc4106(gcm(aes)) <secret>". */
  toString(): string {
    return '<secret>';
  }

  toJSON(): string {
    return '<secret>';
  }
}
