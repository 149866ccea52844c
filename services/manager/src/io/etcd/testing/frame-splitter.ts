/** RFC 9113 §4.1: length (3 bytes), type, flags, stream (4 bytes). */
const headerLength = 9;
const dataFrame = 0;

/** Passes an HTTP/2 server's bytes up to the end of a number of DATA frames. A short message is one frame. */
export class FrameSplitter {
  #pending = Buffer.alloc(0);
  #left: number;

  constructor(messages: number) {
    this.#left = messages;
  }

  /** The bytes that may pass (whole frames), and whether they reach the end. */
  push(bytes: Buffer): { readonly through: Buffer; readonly ended: boolean } {
    if (this.#left === 0) return { through: Buffer.alloc(0), ended: false };
    this.#pending = Buffer.concat([this.#pending, bytes]);
    let at = 0;
    while (this.#left > 0 && this.#pending.length >= at + headerLength) {
      const length = headerLength + this.#pending.readUIntBE(at, 3);
      if (this.#pending.length < at + length) break;
      if (this.#pending[at + 3] === dataFrame) this.#left--;
      at += length;
    }
    const through = this.#pending.subarray(0, at);
    this.#pending = this.#pending.subarray(at);
    return { through, ended: this.#left === 0 };
  }
}
