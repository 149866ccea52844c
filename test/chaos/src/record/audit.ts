import { Claims } from './claims.ts';
import type { Life, Moment } from './lives.ts';
import { overlap } from './prefixes.ts';
import { type EndpointRecord, isClaim, type NetworkRecord, readClaim } from './records.ts';
import type { Revision } from './revision.ts';
import { claimsOf, coolsOf, type Holder, heldOf, needsClaim, thingsOf } from './things.ts';

/** The changes of a revision, which are checked when the whole revision has been read. */
interface Touched {
  readonly things: Set<string>;
  readonly written: Holder[];
  readonly gone: Holder[];
  /** Claims that were cooling after the named owner and have an owner again. */
  readonly back: { readonly key: string; readonly cooling: string; readonly owner: string }[];
}

/**
 * Checks every revision of the store, without the product's code: the records are decoded here. It finds an object with two
 * owners, a key that changes its owner without having been free, records and claims that disagree, an address or VNI that
 * becomes free without a cooldown, and a revision that is missing in the record.
 */
export class Audit {
  readonly faults: string[] = [];
  /** Every endpoint and network that ever existed, oldest first. */
  readonly lives: Life[] = [];
  readonly claims = new Claims();
  readonly #holders = new Map<string, Holder>();
  readonly #alive = new Map<string, Life>();
  /** For each thing (an address, a VNI, a name, …): ids of the objects whose records have it. */
  readonly #had = new Map<string, Set<string>>();
  #last: number;
  #revisions = 0;

  /** `beginning`: the store's revision before the first one to check; an empty etcd has revision 1. */
  constructor(beginning = 1) {
    this.#last = beginning;
  }

  get revisions(): number {
    return this.#revisions;
  }

  /** The last revision that was checked. */
  get revision(): number {
    return this.#last;
  }

  get endpoints(): readonly EndpointRecord[] {
    return [...this.#holders.values()].flatMap((holder) => (holder.kind === 'endpoint' ? [holder.record] : []));
  }

  get networks(): readonly NetworkRecord[] {
    return [...this.#holders.values()].flatMap((holder) => (holder.kind === 'network' ? [holder.record] : []));
  }

  take({ revision, seen, puts, deletes }: Revision): void {
    this.#follow(revision);
    const moment = { revision, seen };
    const touched: Touched = { things: new Set(), written: [], gone: [], back: [] };
    for (const key of deletes) this.#delete(moment, key, touched);
    for (const [key, value] of puts) this.#put(moment, key, value, touched);
    for (const thing of touched.things) this.#checkThing(revision, thing);
    for (const holder of touched.written) this.#checkWritten(revision, holder);
    for (const holder of touched.gone) this.#checkGone(revision, holder);
    for (const { key, cooling, owner } of touched.back) {
      if (this.#holders.get(owner)?.record.name === cooling) continue;
      this.#fault(revision, `${key} goes to ${owner} while it cools after ${cooling}`);
    }
  }

  /** What is left in a store after everything was released. A claim that is cooling now would be cooling forever. */
  remains(): readonly string[] {
    const left = [...this.#holders.values()];
    const own = new Set(left.flatMap(claimsOf));
    const claims = [...this.claims.entries()].flatMap(([key, { owner, cooling }]) => {
      if (own.has(key)) return [];
      if (cooling !== undefined) return [`${key} cools for ever after ${cooling}`];
      if (owner !== undefined) return [`${key} is left to ${owner}`];
      // Claims of the network itself, such as its gateway, are left together with the network.
      return this.#holders.has(key.split('/')[1] ?? '') ? [] : [`${key} is left`];
    });
    return [
      ...left.map(({ kind, record }) => `${kind} ${record.name} is left after everything was released`),
      ...claims,
    ];
  }

  #follow(revision: number): void {
    this.#revisions++;
    if (revision <= this.#last) this.#fault(revision, `comes after revision ${this.#last}`);
    if (revision > this.#last + 1) this.#fault(revision, `comes after revision ${this.#last}: the record has a gap`);
    this.#last = Math.max(revision, this.#last);
  }

  #put(moment: Moment, key: string, value: string, touched: Touched): void {
    const [kind, first = '', second = ''] = key.split('/');
    if (kind === 'endpoint') this.#write(moment, { kind, id: second, record: JSON.parse(value) }, touched);
    else if (kind === 'network') this.#write(moment, { kind, id: first, record: JSON.parse(value) }, touched);
    else if (isClaim(key)) {
      const [before, claim] = [this.claims.get(key), readClaim(value)];
      if (before?.owner !== undefined && claim.owner !== undefined && before.owner !== claim.owner) {
        this.#fault(moment.revision, `${key} goes from ${before.owner} to ${claim.owner} without having been free`);
      }
      if (before?.cooling !== undefined && claim.owner !== undefined) {
        touched.back.push({ key, cooling: before.cooling, owner: claim.owner });
      }
      this.claims.set(moment.revision, key, claim);
      touched.things.add(key);
    }
  }

  #delete(moment: Moment, key: string, touched: Touched): void {
    const [kind, first = '', second = ''] = key.split('/');
    if (kind === 'endpoint' || kind === 'network') this.#remove(moment, kind === 'endpoint' ? second : first, touched);
    if (isClaim(key)) {
      this.claims.set(moment.revision, key, undefined);
      touched.things.add(key);
    }
  }

  /** A record that is written again is the same life, changed. */
  #write(born: Moment, holder: Holder, touched: Touched): void {
    const before = this.#holders.get(holder.id);
    if (before !== undefined) this.#letGo(before, touched);
    this.#holders.set(holder.id, holder);
    for (const thing of thingsOf(holder)) {
      const ids = this.#had.get(thing) ?? new Set();
      this.#had.set(thing, ids.add(holder.id));
      touched.things.add(thing);
    }
    touched.written.push(holder);
    if (this.#alive.has(holder.id)) return;
    const life: Life = { kind: holder.kind, id: holder.id, name: holder.record.name, held: heldOf(holder), born };
    this.#alive.set(holder.id, life);
    this.lives.push(life);
  }

  #remove(died: Moment, id: string, touched: Touched): void {
    const holder = this.#holders.get(id);
    if (holder === undefined) return;
    this.#letGo(holder, touched);
    this.#holders.delete(id);
    touched.gone.push(holder);
    const life = this.#alive.get(id);
    if (life !== undefined) life.died = died;
    this.#alive.delete(id);
  }

  #letGo(holder: Holder, touched: Touched): void {
    for (const thing of thingsOf(holder)) {
      this.#had.get(thing)?.delete(holder.id);
      touched.things.add(thing);
    }
  }

  #checkThing(revision: number, thing: string): void {
    const holders = [...(this.#had.get(thing) ?? [])];
    const owner = this.claims.get(thing)?.owner;
    if (holders.length > 1) this.#fault(revision, `${thing} is held by ${holders.join(' and ')}`);
    for (const holder of needsClaim(thing) ? holders : []) {
      if (owner !== holder) this.#fault(revision, `${thing} is held by ${holder} and claimed by ${owner ?? 'none'}`);
    }
    if (owner !== undefined && !holders.includes(owner)) {
      this.#fault(revision, `${thing} is claimed by ${owner}, which does not hold it`);
    }
  }

  #checkWritten(revision: number, holder: Holder): void {
    if (holder.kind === 'endpoint') {
      const { id, record } = holder;
      if (this.#holders.get(record.network)?.kind !== 'network') {
        this.#fault(revision, `endpoint ${id} has no network ${record.network}`);
      }
      return;
    }
    const { name, addressSpace, subnets } = holder.record;
    for (const other of this.networks.filter(({ id }) => id !== holder.id)) {
      for (const { prefix } of other.addressSpace === addressSpace ? subnets : []) {
        const overlapping = other.subnets.find((subnet) => overlap(subnet.prefix, prefix));
        if (overlapping !== undefined) {
          this.#fault(revision, `${prefix} of network ${name} overlaps ${overlapping.prefix} of network ${other.name}`);
        }
      }
    }
  }

  #checkGone(revision: number, holder: Holder): void {
    for (const key of coolsOf(holder)) {
      if (this.claims.get(key)?.cooling === undefined) this.#fault(revision, `${key} is given up without cooling`);
    }
    const orphans = holder.kind === 'network' ? this.endpoints.filter(({ network }) => network === holder.id) : [];
    for (const { id } of orphans) this.#fault(revision, `endpoint ${id} has no network ${holder.id} any more`);
  }

  #fault(revision: number, what: string): void {
    this.faults.push(`revision ${revision}: ${what}`);
  }
}
