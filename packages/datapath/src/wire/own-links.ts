import type { Mac } from '@causeway/model';
import type { LinkRecord } from './link.ts';

/** A pair of links that this process has made or changed: the end in the watched namespace, as it was written. */
export interface WrittenLink {
  readonly name: string;
  readonly mac: Mac;
  readonly mtu: number;
  readonly up: boolean;
  readonly bridgePort?: { readonly master: string; readonly learning: boolean; readonly flood: boolean };
}

/** What a successful op has written of a link. */
export type LinkWrite =
  | { readonly kind: 'made'; readonly link: WrittenLink }
  | { readonly kind: 'changed'; readonly name: string; readonly change: Partial<Omit<WrittenLink, 'name'>> };

interface Own {
  wanted: WrittenLink;
  /** The link as the last event about it says; undefined: no event has come yet. */
  last: LinkRecord | undefined;
  /** All events of the writes were read, and the link is as it was written. It only lacks its carrier. */
  isSettled: boolean;
  /** It lacked its carrier at the last `takeWaiting`. */
  isWaiting: boolean;
}

/**
 * Pairs of links that this process has just made. The kernel sends many events about a new pair: one for each property,
 * and one when both ends are up (the carrier). If the link is as it was written when all events of the write were read, and
 * then gets its carrier, none of these events is a change, whatever caused it. Any other event is a change. So is a
 * carrier that does not come: another process may have set the other end down before the kernel looked.
 */
export class OwnLinks {
  readonly #links = new Map<string, Own>();

  wrote(write: LinkWrite): void {
    if (write.kind === 'made') {
      this.#links.set(write.link.name, { wanted: write.link, last: undefined, isSettled: false, isWaiting: false });
      return;
    }
    const own = this.#links.get(write.name);
    if (own === undefined) return;
    own.wanted = { ...own.wanted, ...write.change };
    own.isSettled = false;
  }

  /** Whether events of a write of the link may still come. */
  isBeingWritten(name: string): boolean {
    return this.#links.get(name)?.isSettled === false;
  }

  /** Takes an event that says that the link changed. Returns whether the event is no change, as far as is known by now. */
  takes(link: LinkRecord, nameOf: (index: number) => string | undefined): boolean {
    const own = this.#links.get(link.name);
    if (own === undefined) return false;
    const isAgain = own.isSettled && !agrees(own.wanted, link, nameOf);
    const lostCarrier = own.last?.carrier === true && !link.carrier;
    if (isAgain || lostCarrier) {
      this.#links.delete(link.name);
      return false;
    }
    own.last = link;
    if (own.isSettled && link.carrier) this.#links.delete(link.name);
    return true;
  }

  forget(name: string): void {
    this.#links.delete(name);
  }

  /** All events of all writes so far were taken. Returns the names of links that are not as they were written. */
  settle(nameOf: (index: number) => string | undefined): readonly string[] {
    const others: string[] = [];
    for (const [name, own] of this.#links) {
      if (own.isSettled) continue;
      own.isSettled = own.last !== undefined && agrees(own.wanted, own.last, nameOf);
      if (!own.isSettled) others.push(name);
      if (!own.isSettled || own.last?.carrier === true) this.#links.delete(name);
    }
    return others;
  }

  /** Names of links that lacked their carrier at the call before too, each once. */
  takeWaiting(): readonly string[] {
    const late: string[] = [];
    for (const [name, own] of this.#links) {
      if (own.isWaiting) late.push(name);
      own.isWaiting = true;
    }
    for (const name of late) this.#links.delete(name);
    return late;
  }

  get isEmpty(): boolean {
    return this.#links.size === 0;
  }
}

function agrees(
  { mac, mtu, up, bridgePort }: WrittenLink,
  link: LinkRecord,
  nameOf: (index: number) => string | undefined,
): boolean {
  const master = link.master === undefined ? undefined : nameOf(link.master);
  return (
    link.kind === 'veth' &&
    link.mac === mac &&
    link.mtu === mtu &&
    link.up === up &&
    master === bridgePort?.master &&
    link.port?.learning === bridgePort?.learning &&
    link.port?.flood === bridgePort?.flood
  );
}
