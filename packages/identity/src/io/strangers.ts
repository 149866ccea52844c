import type { TLSSocket } from 'node:tls';
import { sourceOf } from '../source.ts';

/**
 * Limits of all connections without an accepted certificate. A stranger needs a connection for a request of 1 KiB. Without
 * limits one stranger could send thousands of requests that never end, each of which the gRPC server would hold.
 */
const limits = {
  /** If there are more, the oldest are ended: in all, and of one source, so that one source cannot end the others'. */
  most: 256,
  mostOfSource: 128,
  /** Bytes that a connection may send. */
  bytes: 256 * 1024,
  /** Milliseconds that a connection may last. */
  life: 60_000,
} as const;
/** Milliseconds. How often the limits are checked: in this time little more arrives than a network carries. */
const checkEvery = 100;

interface Stay {
  /** By what the connections of one stranger are counted. */
  readonly source: string;
  /** When the connection is to end, ms of the monotonic clock. */
  readonly end: number;
}

/** The connections without an accepted certificate, and their limits. */
export class Strangers {
  /** The oldest first. */
  readonly #stays = new Map<TLSSocket, Stay>();
  #checking: NodeJS.Timeout | undefined;

  watch(socket: TLSSocket): void {
    const source = sourceOf(socket.remoteAddress ?? '');
    this.#stays.set(socket, { source, end: performance.now() + limits.life });
    socket.once('close', () => this.#stays.delete(socket));
    this.#endOldest(source);
    this.#checking ??= setInterval(() => this.#check(), checkEvery).unref();
  }

  stop(): void {
    clearInterval(this.#checking);
  }

  #endOldest(source: string): void {
    const all = [...this.#stays];
    const [oldest] = all;
    const ofSource = all.filter(([, stay]) => stay.source === source);
    const [oldestOfSource] = ofSource;
    if (ofSource.length > limits.mostOfSource) oldestOfSource?.[0].destroy();
    else if (all.length > limits.most) oldest?.[0].destroy();
  }

  #check(): void {
    const now = performance.now();
    for (const [socket, { end }] of this.#stays) if (end <= now || socket.bytesRead > limits.bytes) socket.destroy();
    if (this.#stays.size > 0) return;
    clearInterval(this.#checking);
    this.#checking = undefined;
  }
}
