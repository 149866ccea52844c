import type { Bytes } from '../wire/bytes.ts';
import { encodeBatchMessage, encodeIhave, type Interval } from '../wire/message.ts';
import type { Part } from './interval.ts';
import { type Item, wholeUpTo } from './item.ts';

/** After the first try a receiver has 20 ms to answer, then 40, then 60: a link and a turn of Node's event loop take a few. */
const waits = [20, 40, 60] as const;
/** After this try the next member of the part is asked, while the silent member gets a last try. */
const adoptAfter = 2;
/** Batches on their way to one peer. More wait: the peer, or the link, is slower than this host. */
const credit = 32;
/** A peer that has not answered three tries is asked last for this long. */
const quietFor = 5_000;

/** How a hop sends: the outbox, behind the kinds of frames that hops need. */
export type SendHop = (
  to: string,
  kind: 'batch' | 'ihave',
  body: Bytes,
  now: number,
) => { readonly counter: bigint; readonly at: number };

/** A part of an interval that was handed to a member. */
interface Hop {
  readonly item: Item;
  readonly interval: Interval;
  readonly to: string;
  /** Who is asked next if the member stays silent; empty once that was done. */
  rest: readonly string[];
  tries: number;
  counters: bigint[];
  sentAt: number;
  due: number;
}

/** The hops of all batches: each is acknowledged, tried again, or handed to another member. */
export class Hops {
  readonly #send: SendHop;
  readonly #byCounter = new Map<bigint, Hop>();
  readonly #flying = new Map<string, Set<Hop>>();
  readonly #queued = new Map<string, Hop[]>();
  readonly #quietUntil = new Map<string, number>();
  readonly #roundTrips = new Map<string, number>();

  constructor(send: SendHop) {
    this.#send = send;
  }

  /** Infinity: never. */
  get nextWake(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const hops of this.#flying.values()) for (const { due } of hops) next = Math.min(next, due);
    return next;
  }

  isQuiet(peer: string, now: number): boolean {
    return now < (this.#quietUntil.get(peer) ?? 0);
  }

  hand(item: Item, { interval, candidates: [to, ...rest] }: Part, now: number): void {
    if (to === undefined) return;
    const hop = { item, interval, to, rest, tries: 0, counters: [], sentAt: 0, due: 0 };
    const flying = this.#flyingTo(to);
    if (flying.size < credit) this.#try(hop, now);
    else this.#queued.set(to, [...(this.#queued.get(to) ?? []), hop]);
  }

  /** `isRefused`: the receiver has the frame, and passes nothing on. */
  acknowledged(from: string, counter: bigint, isRefused: boolean, now: number): void {
    const hop = this.#byCounter.get(counter);
    if (hop === undefined || hop.to !== from) return;
    this.#quietUntil.delete(from);
    if (hop.tries === 1) this.#measured(from, now - hop.sentAt);
    if (isRefused) this.#adopt(hop, now);
    this.#end(hop, now);
  }

  timer(now: number): void {
    const due = [...this.#flying.values()].flatMap((hops) => [...hops].filter((hop) => hop.due <= now));
    for (const hop of due) {
      if (hop.tries === adoptAfter) this.#adopt(hop, now);
      if (hop.tries < waits.length) this.#try(hop, now);
      else {
        this.#quietUntil.set(hop.to, now + quietFor);
        this.#end(hop, now);
      }
    }
  }

  /** Only these peers may still answer. What was on its way to others goes to the next member. */
  keep(peers: ReadonlySet<string>, now: number): void {
    for (const [peer, hops] of [...this.#flying]) {
      if (peers.has(peer)) continue;
      const all = [...hops, ...(this.#queued.get(peer) ?? [])];
      this.#queued.delete(peer);
      for (const hop of all) {
        this.#adopt(hop, now);
        this.#end(hop, now);
      }
    }
    for (const map of [this.#quietUntil, this.#roundTrips])
      for (const peer of map.keys()) if (!peers.has(peer)) map.delete(peer);
  }

  #try(hop: Hop, now: number): void {
    const { item, interval, to } = hop;
    const isWhole = interval.tree === 0 || item.raw.length <= wholeUpTo;
    const { counter, at } = isWhole
      ? this.#send(to, 'batch', encodeBatchMessage({ interval, raw: item.raw }), now)
      : this.#send(to, 'ihave', encodeIhave({ interval, network: item.network, batch: item.id }), now);
    this.#flyingTo(to).add(hop);
    this.#byCounter.set(counter, hop);
    hop.counters.push(counter);
    hop.sentAt = at;
    hop.due = at + Math.max(waits[hop.tries] ?? 0, 2 * (this.#roundTrips.get(to) ?? 0));
    hop.tries++;
  }

  #adopt(hop: Hop, now: number): void {
    const { item, interval, rest } = hop;
    hop.rest = [];
    this.hand(item, { interval, candidates: rest }, now);
  }

  #end(hop: Hop, now: number): void {
    for (const counter of hop.counters) this.#byCounter.delete(counter);
    this.#flyingTo(hop.to).delete(hop);
    const [next, ...others] = this.#queued.get(hop.to) ?? [];
    if (others.length > 0) this.#queued.set(hop.to, others);
    else this.#queued.delete(hop.to);
    if (next !== undefined) this.#try(next, now);
    else if (this.#flyingTo(hop.to).size === 0) this.#flying.delete(hop.to);
  }

  #measured(peer: string, roundTrip: number): void {
    const known = this.#roundTrips.get(peer) ?? roundTrip;
    // RFC 6298: the new sample counts an eighth.
    this.#roundTrips.set(peer, known + (roundTrip - known) / 8);
  }

  #flyingTo(peer: string): Set<Hop> {
    let hops = this.#flying.get(peer);
    if (hops === undefined) {
      hops = new Set();
      this.#flying.set(peer, hops);
    }
    return hops;
  }
}
