/**
 * A value that never appears in text. Ops and states are printed, logged and sent over the network; a key must not be.
 * Only `reveal` returns the value. Call it only where the message to the kernel is written.
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
