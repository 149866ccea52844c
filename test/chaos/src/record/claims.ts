import type { Claim } from './records.ts';

interface Change {
  readonly revision: number;
  readonly key: string;
  /** Undefined: it is free from here on. */
  readonly claim: Claim | undefined;
}

/** Who has what by the keys of the store, now and after every revision before. */
export class Claims {
  readonly #now = new Map<string, Claim>();
  readonly #byKey = new Map<string, Change[]>();
  /** "addr/<network>" -> what its keys went through. */
  readonly #byScope = new Map<string, Change[]>();

  get(key: string): Claim | undefined {
    return this.#now.get(key);
  }

  entries(): Iterable<readonly [string, Claim]> {
    return this.#now;
  }

  set(revision: number, key: string, claim: Claim | undefined): void {
    if (claim === undefined) this.#now.delete(key);
    else this.#now.set(key, claim);
    const change = { revision, key, claim };
    push(this.#byKey, key, change);
    push(this.#byScope, scopeOf(key), change);
  }

  /** Whether the key was there after any of the revisions, the first and the last included. */
  wasTaken(key: string, first: number, last: number): boolean {
    let before: Change | undefined;
    for (const change of this.#byKey.get(key) ?? []) {
      if (change.revision > last) break;
      if (change.revision > first && change.claim !== undefined) return true;
      if (change.revision <= first) before = change;
    }
    return before?.claim !== undefined;
  }

  /** The most keys of a scope such as "addr/<network>" that were there at once, after any of the revisions. */
  mostTaken(scope: string, counts: (rest: string) => boolean, first: number, last: number): number {
    const taken = new Set<string>();
    let most = 0;
    let open = 0;
    for (const { revision, key, claim } of this.#byScope.get(scope) ?? []) {
      if (revision > last) break;
      // What stood after the revision before this one.
      if (revision > Math.max(open, first)) most = Math.max(most, taken.size);
      open = revision;
      if (claim === undefined) taken.delete(key);
      else if (counts(key.slice(scope.length + 1))) taken.add(key);
    }
    return Math.max(most, taken.size);
  }
}

function scopeOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/'));
}

function push(all: Map<string, Change[]>, name: string, change: Change): void {
  const some = all.get(name);
  if (some === undefined) all.set(name, [change]);
  else some.push(change);
}
