import type { Ip, Mac } from '@causeway/model';

/** Entries by name, each on a link. */
export interface EntryKeys {
  readonly fdb: ReadonlyMap<string, ReadonlySet<Mac>>;
  readonly neighbours: ReadonlyMap<string, ReadonlySet<Ip>>;
}

/** Where in a namespace something has changed. What it is now, reading tells. */
export interface Changes extends EntryKeys {
  /** That changed themselves, or are gone. */
  readonly links: ReadonlySet<string>;
  /** Something else has changed too: an address, a route, or more entries than are named. */
  readonly more: boolean;
}

/** Beyond, looking at each costs more than looking at all: a dump brings 20,000 in the time of 1,000 questions. */
const mostNamed = 256;

/** Changes while they are gathered. */
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
    if (this.#named === mostNamed) {
      this.more = true;
      return;
    }
    let keys = of.get(dev);
    if (keys === undefined) {
      keys = new Set();
      of.set(dev, keys);
    }
    if (!keys.has(key)) this.#named++;
    keys.add(key);
  }
}
