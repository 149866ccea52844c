import { type Rate, TokenBuckets } from '@causeway/runtime';

export interface HandshakeLimits {
  /** Connections that wait. */
  readonly waiting: { readonly perSource: number; readonly inAll: number };
  /** A connection that has waited this long is ended, ms. */
  readonly patience: number;
  /** Handshakes that have begun. If there are as many as may be in all, the oldest gives way to the next. */
  readonly underWay: { readonly perSource: number; readonly inAll: number };
  /** Handshakes of one source without an accepted certificate. */
  readonly unaccepted: Rate;
}

export type HandshakeStep<Connection> =
  /** `instead`: this connection is to be ended, because too many handshakes are under way. */
  | { readonly kind: 'start'; readonly connection: Connection; readonly instead?: Connection }
  | { readonly kind: 'end'; readonly connection: Connection }
  /** There is nothing to do before then; infinite: before another connection arrives or a handshake is over. */
  | { readonly kind: 'wait'; readonly until: number };

/**
 * Which of the connections that have arrived begins its TLS handshake next. A handshake costs the server about a millisecond of
 * CPU time, a connection that waits costs nothing. All times are those of one monotonic clock, ms.
 *
 *   arrive ─▶ waiting ── start ──▶ under way ── ended
 *                 └──── end: it has waited too long
 *
 * Sources have equal turns, so a source that floods the server delays itself.
 */
export class Handshakes<Connection> {
  readonly #limits: HandshakeLimits;
  readonly #unaccepted: TokenBuckets;
  readonly #sources = new Map<string, Source<Connection>>();
  /** Sources with connections that wait, in the order of their turns. */
  readonly #turns = new Set<Source<Connection>>();
  /** All connections that wait or whose handshake is under way. */
  readonly #known = new Map<Connection, Source<Connection>>();
  /** The oldest first. */
  readonly #underWay = new Set<Connection>();

  constructor(limits: HandshakeLimits) {
    this.#limits = limits;
    this.#unaccepted = new TokenBuckets(limits.unaccepted);
  }

  /** (new) -> waiting. False: as many wait as may, so the connection is to be ended. */
  arrive(connection: Connection, name: string, now: number): boolean {
    const { waiting } = this.#limits;
    const source = this.#sources.get(name) ?? { name, waiting: new Map(), underWay: 0 };
    const allWaiting = this.#known.size - this.#underWay.size;
    if (allWaiting >= waiting.inAll || source.waiting.size >= waiting.perSource) return false;
    source.waiting.set(connection, now);
    this.#known.set(connection, source);
    this.#sources.set(name, source);
    this.#turns.add(source);
    return true;
  }

  next(now: number): HandshakeStep<Connection> {
    let until = Number.POSITIVE_INFINITY;
    for (const source of this.#turns) {
      const [first] = source.waiting;
      if (first === undefined) continue;
      const [connection, since] = first;
      const late = since + this.#limits.patience;
      if (now >= late) {
        this.ended(connection, now);
        return { kind: 'end', connection };
      }
      const startAt = this.#mayStartAt(source, now);
      if (startAt <= now) return this.#start(connection, source, now);
      until = Math.min(until, late, startAt);
    }
    return { kind: 'wait', until };
  }

  /**
   * The handshake is over, or the connection has ended. Called again for the same connection, it does nothing.
   * `accepted`: the peer has shown a certificate of the cluster, so the handshake does not count against its source.
   */
  ended(connection: Connection, now: number, outcome?: 'accepted'): void {
    const source = this.#known.get(connection);
    if (source === undefined) return;
    this.#known.delete(connection);
    if (this.#underWay.delete(connection)) source.underWay--;
    else this.#leaveQueue(connection, source);
    if (outcome === 'accepted') this.#unaccepted.of(source.name, now).giveBack(now);
    if (source.waiting.size === 0 && source.underWay === 0) this.#sources.delete(source.name);
  }

  /** When the source may start its next handshake; infinite: when one of its handshakes is over. */
  #mayStartAt({ name, underWay }: Source<Connection>, now: number): number {
    if (underWay >= this.#limits.underWay.perSource) return Number.POSITIVE_INFINITY;
    return this.#unaccepted.of(name, now).readyAt(now);
  }

  /** waiting -> under way */
  #start(connection: Connection, source: Source<Connection>, now: number): HandshakeStep<Connection> {
    const [oldest] = this.#underWay;
    const isFull = this.#underWay.size >= this.#limits.underWay.inAll;
    this.#unaccepted.of(source.name, now).take(now);
    this.#leaveQueue(connection, source);
    source.underWay++;
    this.#underWay.add(connection);
    return { kind: 'start', connection, ...(isFull && oldest !== undefined && { instead: oldest }) };
  }

  /** The source has had its turn. */
  #leaveQueue(connection: Connection, source: Source<Connection>): void {
    source.waiting.delete(connection);
    this.#turns.delete(source);
    if (source.waiting.size > 0) this.#turns.add(source);
  }
}

/** An address, or a network, from which connections come. */
interface Source<Connection> {
  readonly name: string;
  /** Since when each waits, the first to arrive first. */
  readonly waiting: Map<Connection, number>;
  underWay: number;
}
