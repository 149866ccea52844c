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
 * Checks every address at the moment when the store gives it to an endpoint. No host that the leader can reach may
 * still have the address in its kernel, neither in an entry for the former owner nor in a container.
 */
export class ReuseWatch {
  readonly faults: string[] = [];
  /** Number of addresses that were given, and number of those that had been given before. */
  given = 0;
  again = 0;
  readonly #cluster: SimCluster;
  readonly #seen = new Set<string>();
  readonly #abort = new AbortController();

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
  }

  /** `manager`: the manager whose connection to the store is used. The connection survives the manager. */
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
    // All checks run in one turn of the event loop: nothing changes meanwhile.
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
