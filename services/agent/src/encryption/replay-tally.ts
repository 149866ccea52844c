import type { FoundIpsec } from '@causeway/encryption';
import type { Ip } from '@causeway/model';

/**
 * How many packets the SAs that receive have dropped as replays, or as too late, by the sender's address. A kernel's count ends with its
 * SA; a number here never falls.
 */
export class ReplayTally {
  readonly #totals = new Map<Ip, number>();
  /** Counts of the SAs that the kernel had at the last look, by key, without those that are 0. */
  #seen: ReadonlyMap<string, number> = new Map();

  /** `xfrmStates`: all that the kernel has. */
  see({ xfrmStates }: Pick<FoundIpsec, 'xfrmStates'>): void {
    const seen = new Map<string, number>();
    for (const [key, { direction, src, counts }] of xfrmStates) {
      // An SA that sends drops nothing. Kernels before Linux 6.10 say of no SA in which direction it works.
      if (direction === 'out' || counts === undefined || counts.replays === 0) continue;
      const { replays } = counts;
      const before = this.#seen.get(key) ?? 0;
      // A smaller count is that of another SA with the same SPI.
      const more = replays < before ? replays : replays - before;
      this.#totals.set(src, this.of(src) + more);
      seen.set(key, replays);
    }
    this.#seen = seen;
  }

  of(address: Ip): number {
    return this.#totals.get(address) ?? 0;
  }
}
