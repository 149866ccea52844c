import type { FoundIpsec } from '@causeway/encryption';
import type { Ip } from '@causeway/model';

interface Seen {
  readonly replays: number;
  /** When the kernel got the SA. */
  readonly addedAt: number;
}

/**
 * How many packets the SAs that receive have dropped as replays, or as too late, by the sender's address. A kernel's count ends with its
 * SA; a number here never falls.
 */
export class ReplayTally {
  readonly #totals = new Map<Ip, number>();
  /** Counts of the SAs that the kernel had at the last look, by key, without those that are 0. */
  #seen: ReadonlyMap<string, Seen> = new Map();

  /** `xfrmStates`: all that the kernel has. Two looks may end in another order than they have begun. */
  see({ xfrmStates }: Pick<FoundIpsec, 'xfrmStates'>): void {
    const seen = new Map<string, Seen>();
    for (const [key, { direction, src, counts }] of xfrmStates) {
      // An SA that sends drops nothing. Kernels before Linux 6.10 say of no SA in which direction it works.
      if (direction === 'out' || counts === undefined) continue;
      const { addedAt } = counts;
      const last = this.#seen.get(key);
      // Another SA may have the same SPI. A smaller count of the same SA is from an earlier look.
      const before = last?.addedAt === addedAt ? last.replays : 0;
      const replays = Math.max(before, counts.replays);
      if (replays === 0) continue;
      this.#totals.set(src, this.of(src) + replays - before);
      seen.set(key, { replays, addedAt });
    }
    this.#seen = seen;
  }

  of(address: Ip): number {
    return this.#totals.get(address) ?? 0;
  }
}
