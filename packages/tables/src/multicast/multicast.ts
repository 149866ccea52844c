import type { NetworkId } from '@causeway/model';
import type { Ihave, Interval } from '../wire/message.ts';
import { Hops, type SendHop } from './hops.ts';
import { contains, type GroupMember, partsOf, trees, wholeRing } from './interval.ts';
import type { Item } from './item.ts';

/** How long a batch is remembered, so that it is passed on once, and given to who grafts. Longer than all tries of all hops. */
const rememberFor = 10_000;
const maxRemembered = 4_096;
/** How long the batch itself has to follow its name by the other tree, before the receiver asks for it. */
const graftAfter = 8;
const graftAgain = 20;
const maxGrafts = 3;
const maxPromised = 1_024;
/** Intervals of one batch that a host serves. Honest hosts need the two trees and some adoptions; more would be an amplifier. */
const maxIntervals = 8;

interface Remembered {
  readonly item: Item;
  readonly at: number;
  readonly served: Interval[];
}

/** A batch that a peer has, and this host does not. */
interface Promised {
  readonly from: string;
  readonly intervals: Interval[];
  due: number;
  grafts: number;
}

export interface MulticastPorts {
  readonly self: string;
  readonly sendHop: SendHop;
  readonly sendGraft: (to: string, batch: string) => void;
  /** Members that the host knows in the network, without itself. */
  readonly group: (network: NetworkId) => readonly GroupMember[];
}

/** Carries batches to the group of their network along two trees, which follow from the names of the members. */
export class Multicast {
  readonly hops: Hops;
  readonly #ports: MulticastPorts;
  readonly #remembered = new Map<string, Remembered>();
  readonly #promised = new Map<string, Promised>();

  constructor(ports: MulticastPorts) {
    this.#ports = ports;
    this.hops = new Hops(ports.sendHop);
  }

  /** Infinity: never. */
  get nextWake(): number {
    let next = this.hops.nextWake;
    for (const { due } of this.#promised.values()) next = Math.min(next, due);
    return next;
  }

  /** The batch, if it came lately. */
  recent(id: string): Item | undefined {
    return this.#remembered.get(id)?.item;
  }

  originate(item: Item, group: readonly GroupMember[], now: number): void {
    const remembered = this.#remember(item, now);
    for (const tree of trees) this.#serve(remembered, wholeRing(tree, this.#ports.self), group, now);
  }

  /** A verified batch has come. `interval`: where this host passes it on. */
  arrived(item: Item, interval: Interval | undefined, now: number): void {
    const remembered = this.#remember(item, now);
    const promised = this.#promised.get(item.id)?.intervals ?? [];
    this.#promised.delete(item.id);
    const group = this.#ports.group(item.network);
    for (const each of interval === undefined ? promised : [interval, ...promised])
      this.#serve(remembered, each, group, now);
  }

  /** A peer has a batch for the interval. */
  promised(from: string, { batch, interval }: Ihave, now: number): void {
    const remembered = this.#remembered.get(batch);
    if (remembered !== undefined) {
      this.#serve(remembered, interval, this.#ports.group(remembered.item.network), now);
      return;
    }
    const known = this.#promised.get(batch);
    if (known !== undefined) {
      if (known.intervals.length < maxIntervals) known.intervals.push(interval);
    } else if (this.#promised.size < maxPromised)
      this.#promised.set(batch, { from, intervals: [interval], due: now + graftAfter, grafts: 0 });
  }

  /** The batch has come, and is of no use. */
  forget(id: string): void {
    this.#promised.delete(id);
  }

  timer(now: number): void {
    this.hops.timer(now);
    for (const [batch, promised] of this.#promised) {
      if (promised.due > now) continue;
      if (promised.grafts === maxGrafts) this.#promised.delete(batch);
      else {
        promised.grafts++;
        promised.due = now + graftAgain;
        this.#ports.sendGraft(promised.from, batch);
      }
    }
  }

  #serve({ item, served }: Remembered, interval: Interval, group: readonly GroupMember[], now: number): void {
    if (served.length === maxIntervals || served.some((each) => contains(each, interval))) return;
    served.push(interval);
    const judged = group.map((each) => ({ ...each, isSuspect: each.isSuspect || this.hops.isQuiet(each.name, now) }));
    for (const part of partsOf(judged, interval, this.#ports.self)) this.hops.hand(item, part, now);
  }

  #remember(item: Item, now: number): Remembered {
    const known = this.#remembered.get(item.id);
    if (known !== undefined) return known;
    for (const [id, { at }] of this.#remembered) {
      if (now - at < rememberFor && this.#remembered.size < maxRemembered) break;
      this.#remembered.delete(id);
    }
    const remembered = { item, at: now, served: [] };
    this.#remembered.set(item.id, remembered);
    return remembered;
  }
}
