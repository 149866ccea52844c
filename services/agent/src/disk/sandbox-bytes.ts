import type { Sandbox } from './sandbox.ts';

const [opening, comma, closing] = [0x5b, 0x2c, 0x5d];

/**
 * The sandboxes as a JSON array. Each attach writes all sandboxes of the host, of which only the last is new, so the bytes
 * of those before it are kept from one write to the next.
 */
export class SandboxBytes {
  #bytes = new Uint8Array(4096);
  /** The sandboxes that the bytes hold, and where each ends. */
  readonly #held: Sandbox[] = [];
  readonly #ends: number[] = [];

  /** Valid until the next call. */
  of(sandboxes: readonly Sandbox[]): Uint8Array {
    let same = 0;
    while (same < this.#held.length && this.#held[same] === sandboxes[same]) same++;
    this.#held.length = same;
    this.#ends.length = same;
    this.#bytes[0] = opening;
    for (let next = same; next < sandboxes.length; next++) this.#add(sandboxes[next]);
    const end = this.#end;
    this.#room(end + 1);
    this.#bytes[end] = closing;
    return this.#bytes.subarray(0, end + 1);
  }

  get #end(): number {
    return this.#ends.at(-1) ?? 1;
  }

  #add(sandbox: Sandbox | undefined): void {
    if (sandbox === undefined) return;
    const element = bytesOf(sandbox);
    let at = this.#end;
    this.#room(at + 1 + element.length);
    if (this.#held.length > 0) this.#bytes[at++] = comma;
    this.#bytes.set(element, at);
    this.#held.push(sandbox);
    this.#ends.push(at + element.length);
  }

  #room(size: number): void {
    if (size <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, size));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** A sandbox does not change, so its bytes are made once: after a removal, the later sandboxes are written anew. */
const encoded = new WeakMap<Sandbox, Uint8Array>();

function bytesOf(sandbox: Sandbox): Uint8Array {
  const known = encoded.get(sandbox);
  if (known !== undefined) return known;
  const { claimed, ...rest } = sandbox;
  const text = JSON.stringify({ ...rest, epoch: String(claimed.epoch), revision: String(claimed.revision) });
  const bytes = new TextEncoder().encode(text);
  encoded.set(sandbox, bytes);
  return bytes;
}
