import type { Name, NetworkId } from '@causeway/model';
import type { Claimed } from './claim.ts';
import { entry, prune } from './entries.ts';
import type { Index } from './kind.ts';

interface InNetwork {
  readonly network: NetworkId;
}

/** Claims of one kind by network and thing. Cooling claims also by the endpoint name that may have the thing again. */
export class ClaimIndex<Parts extends InNetwork, Thing> implements Index<Parts, Claimed> {
  readonly #thingOf: (parts: Parts) => Thing;
  readonly #all = new Map<NetworkId, Map<Thing, Claimed>>();
  readonly #cooling = new Map<NetworkId, Map<Name, Set<Thing>>>();

  constructor(thingOf: (parts: Parts) => Thing) {
    this.#thingOf = thingOf;
  }

  of(network: NetworkId): ReadonlyMap<Thing, Claimed> {
    return this.#all.get(network) ?? none;
  }

  /** Cooling things that an endpoint of that name may have again, in the order in which they were freed. */
  coolingFor(network: NetworkId, name: Name): ReadonlySet<Thing> {
    return this.#cooling.get(network)?.get(name) ?? nothing;
  }

  /** Networks that have claims. */
  networks(): Iterable<NetworkId> {
    return this.#all.keys();
  }

  get(parts: Parts): Claimed | undefined {
    return this.of(parts.network).get(this.#thingOf(parts));
  }

  set(parts: Parts, after: Claimed): void {
    this.delete(parts);
    const thing = this.#thingOf(parts);
    entry(this.#all, parts.network, () => new Map<Thing, Claimed>()).set(thing, after);
    if (after.claim.kind !== 'cooling') return;
    const names = entry(this.#cooling, parts.network, () => new Map<Name, Set<Thing>>());
    entry(names, after.claim.endpointName, () => new Set<Thing>()).add(thing);
  }

  delete(parts: Parts): void {
    const before = this.get(parts);
    if (before === undefined) return;
    const { network } = parts;
    const thing = this.#thingOf(parts);
    prune(this.#all, network, (claims) => claims.delete(thing));
    const { claim } = before;
    if (claim.kind !== 'cooling') return;
    prune(this.#cooling, network, (names) => {
      prune(names, claim.endpointName, (things) => things.delete(thing));
    });
  }
}

const none: ReadonlyMap<never, never> = new Map<never, never>();
const nothing: ReadonlySet<never> = new Set<never>();
