import type { Bytes } from '../wire/bytes.ts';
import { encodeFrame, type Kind } from '../wire/frame.ts';
import { Pacer } from './pacer.ts';

/** A frame that leaves now. */
export interface Sent {
  readonly to: string;
  readonly bytes: Bytes;
  /** By a stream: the frame is larger than a datagram. */
  readonly isReliable: boolean;
}

interface Waiting {
  readonly at: number;
  readonly to: string;
  readonly bytes: Bytes;
}

/** Numbers frames, and paces those that carry batches. What peers wait for, such as acknowledgements, leaves at once. */
export class Outbox {
  readonly #boot: bigint;
  readonly #pacer = new Pacer();
  #counter = 0n;
  #waiting: Waiting[] = [];
  #leaving: Sent[] = [];

  constructor(boot: bigint) {
    this.#boot = boot;
  }

  /** Infinity: never. */
  get nextWake(): number {
    return this.#waiting[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Returns the number of the frame. */
  send(to: string, kind: Kind, body: Bytes, isReliable = false): bigint {
    const counter = ++this.#counter;
    this.#leaving.push({ to, bytes: this.#frame(kind, counter, body), isReliable });
    return counter;
  }

  /** Returns the number of the frame, and when it leaves. */
  sendPaced(to: string, kind: Kind, body: Bytes, now: number): { readonly counter: bigint; readonly at: number } {
    const counter = ++this.#counter;
    const at = this.#pacer.departure(now);
    const bytes = this.#frame(kind, counter, body);
    if (at > now) this.#waiting.push({ at, to, bytes });
    else this.#leaving.push({ to, bytes, isReliable: false });
    return { counter, at };
  }

  /** Takes the frames that leave now. */
  take(now: number): readonly Sent[] {
    let due = 0;
    for (; (this.#waiting[due]?.at ?? Number.POSITIVE_INFINITY) <= now; due++) {
      const { to, bytes } = this.#waiting[due] as Waiting;
      this.#leaving.push({ to, bytes, isReliable: false });
    }
    if (due > 0) this.#waiting = this.#waiting.slice(due);
    const leaving = this.#leaving;
    this.#leaving = [];
    return leaving;
  }

  #frame(kind: Kind, counter: bigint, body: Bytes): Bytes {
    return encodeFrame({ kind, boot: this.#boot, counter, body });
  }
}
