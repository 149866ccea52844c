/**
 * Packets that a host sends for tables. Measured: the default socket buffer of 212,992 bytes holds 92 datagrams of 1,400 bytes, or
 * 166 of 200 bytes; what comes faster than the receiver reads is dropped.
 */
const perSecond = 2_000;
const burst = 64;

/** Says when each packet leaves, in order: at most `burst` at once, and `perSecond` in the long run. */
export class Pacer {
  /** When the packets so far will have left, at the long-run rate. */
  #busyUntil = Number.NEGATIVE_INFINITY;

  departure(now: number): number {
    const each = 1_000 / perSecond;
    this.#busyUntil = Math.max(this.#busyUntil, now) + each;
    return Math.max(now, this.#busyUntil - burst * each);
  }
}
