import type { Revision } from '@causeway/chaos';
import type { HostReports } from '@causeway/manager/testing';
import { type Clock, type Duration, milliseconds, type Random } from '@causeway/runtime';

/**
 * What the hosts have reported at one time: the lowest revision that all have applied; undefined: a host cannot be
 * reached.
 */
interface HostReport {
  readonly at: number;
  readonly floor: bigint | undefined;
}

/** Longest time between two reports, ms. Each report contains the store's revision at the time of the report before. */
const longestPause = 250;
const longestSilence = 900;

/** The hosts as a leader sees them: some time behind the store, and sometimes unreachable. */
export class LaggingHosts implements HostReports {
  readonly reports: HostReport[] = [];
  readonly #clock: Clock;
  readonly #random: Random;
  #calm = (): boolean => false;
  #revision = (): bigint => 0n;
  readonly #listeners = new Set<Parameters<HostReports['subscribeProgress']>[0]>();

  constructor(parts: { readonly clock: Clock; readonly random: Random }) {
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  /** `calm`: when true, the hosts follow at once. */
  async run(world: {
    readonly revision: () => bigint;
    readonly networks: () => Iterable<Parameters<HostReports['progress']>[0]>;
    readonly calm: () => boolean;
    readonly end: AbortSignal;
  }): Promise<void> {
    let before = 0n;
    this.#calm = world.calm;
    this.#revision = world.revision;
    while (!world.end.aborted) {
      const isSilent = !world.calm() && this.#random.float() < 0.1;
      const floor = world.calm() ? world.revision() : before;
      before = world.revision();
      this.reports.push({ at: this.#clock.now(), floor: isSilent ? undefined : floor });
      for (const network of world.networks()) for (const listener of this.#listeners) listener(network);
      const span = this.#random.float() * (isSilent ? longestSilence : longestPause);
      await this.#clock.sleep(milliseconds(20 + span), world.end);
    }
  }

  progress: HostReports['progress'] = () => {
    const last = this.reports.at(-1);
    if (this.#calm()) {
      this.reports.push({ at: this.#clock.now(), floor: this.#revision() });
      return {};
    }
    if (last === undefined) return { floor: 0n };
    return last.floor === undefined ? { silentSince: last.at } : { floor: last.floor };
  };

  subscribeProgress: HostReports['subscribeProgress'] = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  silentSince: HostReports['silentSince'] = () => undefined;

  hasRecovered: HostReports['hasRecovered'] = () => true;

  rekey: HostReports['rekey'] = () => undefined;

  usersOfKeys: HostReports['usersOfKeys'] = () => [];

  stepFacts: HostReports['stepFacts'] = () => ({ waiting: [], unreachable: [], withoutSas: [] });
}

export interface AddressReuse {
  /** Number of addresses that became free, and number of those that did not become free at once. */
  readonly free: number;
  readonly waited: number;
  /** The addresses that became free too early, one per line. */
  readonly faults: readonly string[];
}

/**
 * Finds out, from the store's revisions alone, when each released address became free, and compares this with what the hosts
 * had reported by then: either all had applied the release, or the release was as long ago as silent hosts are waited for.
 */
export function readReuse(
  revisions: readonly Revision[],
  reports: readonly HostReport[],
  cooldown: Duration,
): AddressReuse {
  const cooling = new Map<string, Pick<Revision, 'revision' | 'seen'>>();
  const gone = new Set<string>();
  const faults: string[] = [];
  let [free, waited] = [0, 0];
  for (const { revision, seen, puts, deletes } of revisions) {
    for (const key of deletes) if (key.startsWith('network/')) gone.add(key.slice('network/'.length));
    for (const key of deletes) {
      const since = key.startsWith('addr/') ? cooling.get(key) : undefined;
      if (since === undefined) continue;
      cooling.delete(key);
      // The network is deleted, so the address cannot be given again.
      if (gone.has(key.split('/')[1] ?? '')) continue;
      free++;
      if (seen - since.seen > 100) waited++;
      const floors = reports.flatMap(({ at, floor }) => (at <= seen && floor !== undefined ? [floor] : []));
      const applied = floors.some((floor) => floor >= BigInt(since.revision));
      if (!applied && seen - since.seen < cooldown) {
        faults.push(
          `${key} was freed @${since.revision} and given free @${revision}, before any host had reported so much`,
        );
      }
    }
    for (const [key, value] of puts) {
      if (!key.startsWith('addr/')) continue;
      if (value.includes('"cooling"')) cooling.set(key, { revision, seen });
      else cooling.delete(key);
    }
  }
  return { free, waited, faults };
}
