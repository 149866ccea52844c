import { MemoryStore } from '@causeway/manager';
import { type Duration, milliseconds } from '@causeway/runtime';

type StoreParts = ConstructorParameters<typeof MemoryStore>[0];
type Lease = Awaited<ReturnType<MemoryStore['grant']>>;

export interface ElectionStoreSettings {
  /** The time to live by which a candidate's lease is told from others. */
  readonly leaseTtl: Duration;
  /** How long the candidate's watch is broken; 0: not at all. */
  readonly gap: () => Duration;
}

/**
 * A manager's connection to the store whose watch breaks when the manager stands for election. A candidate that wins then
 * leads by the store's word for some time before its view knows what earlier leaders have written.
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
