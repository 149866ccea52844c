import { MemoryStore } from '@causeway/manager';
import { type Duration, milliseconds } from '@causeway/runtime';

type StoreParts = ConstructorParameters<typeof MemoryStore>[0];
type Lease = Awaited<ReturnType<MemoryStore['grant']>>;

export interface ElectionStoreSettings {
  /** Time to live of a candidate's lease. It distinguishes this lease from others. */
  readonly leaseTtl: Duration;
  /** How long the candidate's watch is interrupted; 0: not at all. */
  readonly gap: () => Duration;
}

/**
 * A manager's connection to the store. Its watch is interrupted when the manager stands for election. A candidate that wins
 * then leads for some time before its view contains what earlier leaders have written.
 */
export class ElectionStore extends MemoryStore {
  readonly #settings: ElectionStoreSettings;

  constructor(parts: StoreParts, settings: ElectionStoreSettings) {
    super(parts);
    this.#settings = settings;
  }

  override grant(ttl: Duration): Promise<Lease> {
    const gap = ttl === this.#settings.leaseTtl ? this.#settings.gap() : milliseconds(0);
    if (gap > 0) {
      this.reconnectDelay = () => gap;
      this.cut();
    }
    return super.grant(ttl);
  }
}
