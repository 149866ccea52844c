import { firstAutomaticVni, lastVni, type Vni } from '@causeway/model';
import { OffsetSet } from './offset-set.ts';

/** Which VXLAN network identifiers are taken. */
export class Vnis {
  readonly #taken = new OffsetSet(BigInt(lastVni) + 1n);

  take(vni: Vni): void {
    this.#taken.add(BigInt(vni));
  }

  giveBack(vni: Vni): void {
    this.#taken.delete(BigInt(vni));
  }

  /** The lowest free one of those that are given automatically. */
  lowestFree(): Vni | undefined {
    const found = this.#taken.nextMissing(BigInt(firstAutomaticVni));
    return found === undefined ? undefined : (Number(found) as Vni);
  }
}
