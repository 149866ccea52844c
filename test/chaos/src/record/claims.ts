import type { Claim } from './records.ts';

interface Change {
  readonly revision: number;
  readonly key: string;
  /** undefined: the key is free from this revision on. */
  readonly claim: Claim | undefined;
}

/** The owner of each key of the store, now and after every earlier revision. */
export class Claims {
  readonly #now = new Map<string, Claim>();
  readonly #byKey = new Map<string, Change[]>();
  /** "addr/<network>" -> the changes of all keys below it. */
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

  /** Whether the key existed after any of the revisions `first` to `last`, both included. */
  wasTaken(key: string, first: number, last: number): boolean {
    let before: Change | undefined;
    for (const change of this.#byKey.get(key) ?? []) {
      if (change.revision > last) break;
      if (change.revision > first && change.claim !== undefined) return true;
      if (change.revision <= first) before = change;
    }
    return before?.claim !== undefined;
  }

  /** The largest number of keys of a scope such as "addr/<network>" that existed at once, after any of the revisions. */
  mostTaken(scope: string, counts: (rest: string) => boolean, first: number, last: number): number {
    const taken = new Set<string>();
    let most = 0;
    let open = 0;
    for (const { revision, key, claim } of this.#byScope.get(scope) ?? []) {
      if (revision > last) break;
      // The keys that existed after the revision before this one.
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
