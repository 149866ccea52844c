import type { Name, NetworkId } from '@causeway/model';
import type { Claimed } from './claim.ts';
import { entry } from './entries.ts';

/** Claims of one sort by network and thing, and those that cool by the name that may have them back. */
export class ClaimTable<Thing> {
  readonly #all = new Map<NetworkId, Map<Thing, Claimed>>();
  readonly #cooling = new Map<NetworkId, Map<Name, Set<Thing>>>();

  of(network: NetworkId): ReadonlyMap<Thing, Claimed> {
    return this.#all.get(network) ?? none;
  }

  /** In the order they were freed. */
  coolingFor(network: NetworkId, name: Name): ReadonlySet<Thing> {
    return this.#cooling.get(network)?.get(name) ?? nothing;
  }

  /** Networks that have claims. */
  networks(): Iterable<NetworkId> {
    return this.#all.keys();
  }

  set(network: NetworkId, thing: Thing, after: Claimed): { before?: Claimed; after: Claimed } {
    const { before } = this.delete(network, thing);
    entry(this.#all, network, () => new Map<Thing, Claimed>()).set(thing, after);
    if (after.claim.kind === 'cooling') {
      const names = entry(this.#cooling, network, () => new Map<Name, Set<Thing>>());
      entry(names, after.claim.endpointName, () => new Set<Thing>()).add(thing);
    }
    return before === undefined ? { after } : { before, after };
  }

  delete(network: NetworkId, thing: Thing): { before?: Claimed } {
    const claims = this.#all.get(network);
    const before = claims?.get(thing);
    if (claims === undefined || before === undefined) return {};
    claims.delete(thing);
    if (claims.size === 0) this.#all.delete(network);
    if (before.claim.kind === 'cooling') this.#warm(network, before.claim.endpointName, thing);
    return { before };
  }

  #warm(network: NetworkId, name: Name, thing: Thing): void {
    const names = this.#cooling.get(network);
    const things = names?.get(name);
    things?.delete(thing);
    if (things?.size === 0) names?.delete(name);
    if (names?.size === 0) this.#cooling.delete(network);
  }
}

const none: ReadonlyMap<never, never> = new Map<never, never>();
const nothing: ReadonlySet<never> = new Set<never>();
