import type { Revision } from './revision.ts';

/** An endpoint as its record says. */
export interface EndpointRecord {
  readonly id: string;
  readonly name: string;
  readonly network: string;
  readonly node: string;
  /** "10.66.0.9/16" */
  readonly addresses: readonly string[];
}

/**
 * Looks at every revision of the store with its own, plain eyes: nothing of the product's code is asked what a record means.
 * One key is one address; so what could go wrong is a key that changes hands, and records and claims that disagree.
 */
export class Audit {
  readonly faults: string[] = [];
  /** Every endpoint there ever was, by name, oldest first. */
  readonly born = new Map<string, EndpointRecord[]>();
  readonly #endpoints = new Map<string, EndpointRecord>();
  readonly #claims = new Map<string, Claim>();
  readonly #holders = new Map<string, Set<string>>();
  #last = 0;
  #revisions = 0;

  get revisions(): number {
    return this.#revisions;
  }

  get endpoints(): readonly EndpointRecord[] {
    return [...this.#endpoints.values()];
  }

  take({ revision, puts, deletes }: Revision): void {
    this.#revisions++;
    if (revision <= this.#last) this.#fault(revision, `comes after revision ${this.#last}`);
    this.#last = revision;
    const touched = new Set<string>();
    for (const key of deletes) this.#delete(key, touched);
    for (const [key, value] of puts) this.#put(revision, key, value, touched);
    for (const address of touched) this.#check(revision, address);
  }

  /** Claims of things that nobody stands behind, in a store at rest. */
  leaks(): readonly string[] {
    return [...this.#claims].flatMap(([key, { owner }]) => {
      return owner === undefined || this.#endpoints.has(owner)
        ? []
        : [`${key} is claimed by ${owner}, which is not there`];
    });
  }

  #put(revision: number, key: string, value: string, touched: Set<string>): void {
    const [kind, network = '', rest = ''] = key.split('/');
    if (kind === 'endpoint') {
      this.#removeEndpoint(rest, touched);
      const record = JSON.parse(value) as EndpointRecord;
      this.#endpoints.set(rest, record);
      this.born.set(record.name, [...(this.born.get(record.name) ?? []), record]);
      for (const address of keysOf(record)) {
        const holders = this.#holders.get(address) ?? new Set();
        this.#holders.set(address, holders.add(rest));
        touched.add(address);
      }
    } else if (isClaim(kind)) {
      const claim = readClaim(value);
      const before = this.#claims.get(key);
      if (before?.owner !== undefined && claim.owner !== undefined && before.owner !== claim.owner) {
        this.#fault(revision, `${key} goes from ${before.owner} to ${claim.owner} without having been free`);
      }
      this.#claims.set(key, claim);
      if (kind === 'addr') touched.add(`${network} ${rest}`);
    }
  }

  #delete(key: string, touched: Set<string>): void {
    const [kind, network = '', rest = ''] = key.split('/');
    if (kind === 'endpoint') this.#removeEndpoint(rest, touched);
    if (isClaim(kind)) this.#claims.delete(key);
    if (kind === 'addr') touched.add(`${network} ${rest}`);
  }

  #removeEndpoint(id: string, touched: Set<string>): void {
    const record = this.#endpoints.get(id);
    this.#endpoints.delete(id);
    for (const address of record === undefined ? [] : keysOf(record)) {
      this.#holders.get(address)?.delete(id);
      touched.add(address);
    }
  }

  #check(revision: number, address: string): void {
    const holders = [...(this.#holders.get(address) ?? [])];
    const owner = this.#claims.get(`addr/${address.replace(' ', '/')}`)?.owner;
    if (holders.length > 1) this.#fault(revision, `${address} is held by ${holders.join(' and ')}`);
    for (const holder of holders) {
      if (owner !== holder)
        this.#fault(revision, `${address} is held by ${holder} and claimed by ${owner ?? 'nobody'}`);
    }
    if (owner !== undefined && !holders.includes(owner)) {
      this.#fault(revision, `${address} is claimed by ${owner}, which does not hold it`);
    }
  }

  #fault(revision: number, what: string): void {
    this.faults.push(`revision ${revision}: ${what}`);
  }
}

/** "network ip" of each of its addresses. */
export function keysOf({ network, addresses }: EndpointRecord): readonly string[] {
  return addresses.map((address) => `${network} ${address.replace(/\/.*/, '')}`);
}

interface Claim {
  /** The endpoint that has it; a gateway, a reservation and what cools after a release are nobody's. */
  readonly owner: string | undefined;
}

function isClaim(kind: string | undefined): boolean {
  return kind === 'addr' || kind === 'mac' || kind === 'endpoint-name';
}

/** An id, or JSON that names an endpoint. */
function readClaim(value: string): Claim {
  if (!value.startsWith('{')) return { owner: value === 'gateway' ? undefined : value };
  return { owner: (JSON.parse(value) as { readonly endpoint?: string }).endpoint };
}
