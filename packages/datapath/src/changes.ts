import type { Ip, Mac } from '@causeway/model';

/** The keys of entries, by link name. */
export interface EntryKeys {
  readonly fdb: ReadonlyMap<string, ReadonlySet<Mac>>;
  readonly neighbours: ReadonlyMap<string, ReadonlySet<Ip>>;
}

/** Where something in a namespace has changed. A read must find out what it is now. */
export interface Changes extends EntryKeys {
  /** Links that changed or are gone. */
  readonly links: ReadonlySet<string>;
  /** Something that is not named has changed too: an address, a route, or too many entries to name. */
  readonly more: boolean;
}

/** With more entries than this, a dump is cheaper: it reads 20,000 entries in the time of 1,000 single requests. */
const mostNamed = 256;

/** Collects changes. */
export class ChangeSet implements Changes {
  readonly links = new Set<string>();
  readonly fdb = new Map<string, Set<Mac>>();
  readonly neighbours = new Map<string, Set<Ip>>();
  more = false;
  #named = 0;

  addFdb(dev: string, mac: Mac): void {
    this.#name(this.fdb, dev, mac);
  }

  addNeighbour(dev: string, ip: Ip): void {
    this.#name(this.neighbours, dev, ip);
  }

  include({ links, fdb, neighbours, more }: Changes): void {
    for (const link of links) this.links.add(link);
    for (const [dev, macs] of fdb) for (const mac of macs) this.addFdb(dev, mac);
    for (const [dev, ips] of neighbours) for (const ip of ips) this.addNeighbour(dev, ip);
    this.more ||= more;
  }

  #name<Key>(of: Map<string, Set<Key>>, dev: string, key: Key): void {
    const keys = of.get(dev) ?? new Set();
    if (keys.has(key)) return;
    if (this.#named === mostNamed) {
      this.more = true;
      return;
    }
    of.set(dev, keys.add(key));
    this.#named++;
  }
}
