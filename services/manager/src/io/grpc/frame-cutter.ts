/** Length of what gRPC puts before each message: a flag, and the message's length. */
const prefixBytes = 5;

interface Cut {
  readonly messages: readonly Buffer[];
  /** Length of a message that is larger than may be. Nothing is cut from then on. */
  readonly tooLarge?: number;
}

/** Cuts what arrives on the stream of a gRPC call into messages. `mostBytes` of one message; -1: any. */
export class FrameCutter {
  readonly #mostBytes: number;
  /** What has arrived and belongs to a message that is not complete. */
  #parts: Buffer[] = [];
  #arrived = 0;
  /** Length of that message with its prefix; undefined: not known yet. */
  #needed: number | undefined;
  #isOver = false;

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  take(data: Buffer): Cut {
    if (this.#isOver) return { messages: [] };
    this.#parts.push(data);
    this.#arrived += data.length;
    const messages: Buffer[] = [];
    while (this.#arrived >= (this.#needed ?? prefixBytes)) {
      const bytes = this.#joined();
      const length = bytes.readUInt32BE(1);
      if (this.#mostBytes >= 0 && length > this.#mostBytes) {
        this.#isOver = true;
        this.#parts = [];
        return { messages, tooLarge: length };
      }
      this.#needed = prefixBytes + length;
      if (bytes.length < this.#needed) break;
      messages.push(bytes.subarray(prefixBytes, this.#needed));
      this.#keep(bytes.subarray(this.#needed));
    }
    return { messages };
  }

  #joined(): Buffer {
    const [first] = this.#parts;
    const bytes = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts);
    this.#parts = [bytes];
    return bytes;
  }

  #keep(rest: Buffer): void {
    this.#parts = rest.length === 0 ? [] : [rest];
    this.#arrived = rest.length;
    this.#needed = undefined;
  }
}
