import { addressesOf, neighboursOf, portEntriesOf, tunnelsOf } from '@causeway/datapath/testing';
import type { Ip, Mac } from '@causeway/model';
import type { SimCluster } from './cluster.ts';
import type { SimHost } from './host.ts';

interface Given {
  readonly name: string;
  readonly mac: Mac;
  readonly addresses: readonly string[];
}

/**
 * Looks at every address at the very moment the store gives it: no host that the leader can ask may have anything of it in
 * its kernel then, neither an entry that leads to who had it nor a container that has it.
 */
export class ReuseWatch {
  readonly faults: string[] = [];
  /** How many addresses were given, and how many of them not for the first time. */
  given = 0;
  again = 0;
  readonly #cluster: SimCluster;
  readonly #seen = new Set<string>();
  readonly #abort = new AbortController();

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
  }

  /** `manager`: through whose store it looks; that connection outlives its manager. */
  async run(manager: string): Promise<void> {
    const changes = this.#cluster.store(manager).follow('/causeway/v1/endpoint/', this.#abort.signal);
    for await (const change of changes) {
      if (change.kind !== 'events') continue;
      for (const event of change.events) {
        if (event.kind !== 'put' || event.kv.createRevision !== event.kv.modRevision) continue;
        const given = JSON.parse(new TextDecoder().decode(event.kv.value)) as Given;
        await this.#look(given);
      }
    }
  }

  stop(): void {
    this.#abort.abort();
  }

  async #look({ name, mac, addresses }: Given): Promise<void> {
    // All of it in this one turn: nothing moves meanwhile.
    const leftovers = this.#cluster.hosts.flatMap((host) =>
      traces(host, mac, addresses).map((trace) => ({ host: host.name, trace })),
    );
    for (const address of addresses) {
      this.given++;
      if (this.#seen.has(address)) this.again++;
      this.#seen.add(address);
    }
    const reachable = await this.#cluster.reachableNow();
    for (const { host, trace } of leftovers)
      if (reachable.includes(host)) this.faults.push(`${name} was given ${addresses} while ${host} had ${trace}`);
  }
}

function traces(host: SimHost, mac: Mac, addresses: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (const [path, { links }] of host.kernel.namespaces) {
    for (const [link, held] of links) {
      if (tunnelsOf(held).has(mac) || portEntriesOf(held).has(mac)) found.push(`an FDB entry of ${mac} on ${link}`);
      for (const address of addresses) {
        const ip = address.slice(0, address.indexOf('/')) as Ip;
        if (neighboursOf(held).has(ip)) found.push(`a neighbour ${ip} on ${link}`);
        if ([...addressesOf(held)].some((each) => each === address)) found.push(`${address} on ${link} in ${path}`);
      }
    }
  }
  return found;
}
