import { firstAutomaticVni, lastVni, type Vni } from '@causeway/model';
import type { ClaimedVni } from '../store/records/vni-claim.ts';
import { OffsetSet } from './offset-set.ts';

/** How many VNIs are given automatically, and how many of them are in use or cooling. The rest is free. */
export interface VniUse {
  readonly size: number;
  readonly used: number;
  readonly cooling: number;
}

/** Which VXLAN network identifiers are taken, by what kind of claim, and which is the next to give. */
export class Vnis {
  readonly #taken = new OffsetSet(BigInt(lastVni) + 1n);
  readonly #use = { size: lastVni - firstAutomaticVni + 1, used: 0, cooling: 0 };
  /** The newest automatic choice among the claims. The next choice continues after it. */
  #newest: { readonly vni: Vni; readonly created: bigint } | undefined;

  get use(): VniUse {
    return this.#use;
  }

  take(vni: Vni): void {
    this.#taken.add(BigInt(vni));
  }

  giveBack(vni: Vni): void {
    this.#taken.delete(BigInt(vni));
  }

  /**
   * Counts a claim that was created, began to cool or was deleted, and remembers it if it is the newest automatic choice.
   */
  account(vni: Vni, before: ClaimedVni | undefined, after: ClaimedVni | undefined): void {
    if (vni < firstAutomaticVni) return;
    if (before !== undefined) this.#count(before, -1);
    if (after === undefined) return;
    this.#count(after, 1);
    if (after.claim.kind !== 'unknown' && !after.claim.asked) this.#remember(vni, after.created);
  }

  /** The next free VNI after the newest choice; after the last VNI the search begins again at the first. */
  next(): Vni | undefined {
    const last = this.#newest?.vni ?? lastVni;
    return this.#freeFrom(last + 1) ?? this.#freeFrom(firstAutomaticVni);
  }

  #freeFrom(first: number): Vni | undefined {
    const found = this.#taken.nextMissing(BigInt(first));
    return found === undefined ? undefined : (Number(found) as Vni);
  }

  #count({ claim }: ClaimedVni, by: 1 | -1): void {
    if (claim.kind === 'cooling') this.#use.cooling += by;
    else this.#use.used += by;
  }

  /** Among several claims of one transaction the highest VNI counts, in whatever order the claims arrive. */
  #remember(vni: Vni, created: bigint): void {
    const newest = this.#newest;
    const isNewer =
      newest === undefined || created > newest.created || (created === newest.created && vni > newest.vni);
    if (isNewer) this.#newest = { vni, created };
  }
}
