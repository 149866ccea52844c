import type { Event } from '@causeway/proto/gen/causeway/v1/types.js';
import type { Keys } from '../store/keys.ts';
import type { KeyValue, Store } from '../store/store.ts';
import { after, EventArchive } from './archive.ts';
import { decodeRecord } from './record.ts';

interface AddressIndexParts {
  readonly store: Pick<Store, 'get' | 'page'>;
  readonly keys: Keys;
  /** The cluster's epoch. It rises when the store is restored from a backup. */
  readonly epoch: () => bigint | undefined;
}

/** How many records are read at once. */
const together = 16;

/**
 * Index of the event records that name an address, and of the records of deleted networks. The first query reads all events
 * in the store. A later query reads only the events written since, whose keys are after all others, and the records that it
 * returns. At about 100 bytes for each record that names an address, the index takes 20 MB for the limit of 200,000 events.
 */
export class AddressIndex {
  readonly #parts: AddressIndexParts;
  readonly #archive: EventArchive;
  /** Keys of records, oldest first. */
  readonly #naming = new Map<string, string[]>();
  readonly #ending = new Map<string, string>();
  #size = 0;
  /** `#size` after the last removal of records that the store does not keep any more. */
  #sizeThen = 0;
  #place: string;
  #epoch: bigint | undefined;
  #reading: Promise<void> = Promise.resolve();

  constructor(parts: AddressIndexParts) {
    this.#parts = parts;
    this.#archive = new EventArchive(parts);
    this.#place = parts.keys.events;
  }

  /** Events that name the address, and the ends of their networks, oldest first. @throws CausewayError store-unavailable */
  async find(address: string, signal: AbortSignal): Promise<readonly Event[]> {
    await this.#catchUp(signal);
    const naming = (await this.#read(this.#naming.get(address) ?? [], signal)).filter(({ addresses }) =>
      addresses.includes(address),
    );
    const networks = new Set(naming.map(({ networkId }) => networkId));
    const ends = [...networks].flatMap((id) => this.#ending.get(id) ?? []);
    const ending = (await this.#read([...new Set(ends)], signal)).filter(
      ({ kind, networkId }) => kind === ended && networks.has(networkId),
    );
    return [...naming, ...ending].sort((a, b) => Number(a.sequence - b.sequence));
  }

  /** One reader at a time: a reader that arrives meanwhile waits, and then reads only newer events. */
  #catchUp(signal: AbortSignal): Promise<void> {
    const turn = this.#reading.then(() => this.#readOn(signal));
    this.#reading = turn.catch(() => undefined);
    return turn;
  }

  async #readOn(signal: AbortSignal): Promise<void> {
    const epoch = this.#parts.epoch();
    if (epoch !== this.#epoch) this.#reset();
    this.#epoch = epoch;
    for await (const { kvs } of this.#archive.records(this.#place)) {
      for (const kv of kvs) this.#add(kv);
      if (signal.aborted) return;
    }
    if (this.#size > 2 * this.#sizeThen) await this.#forgetGone();
  }

  #add(kv: KeyValue): void {
    this.#place = after(kv);
    for (const { kind, networkId, addresses } of decodeRecord(kv)) {
      if (kind === ended) this.#ending.set(networkId, kv.key);
      for (const address of addresses) {
        const known = this.#naming.get(address) ?? [];
        if (known.at(-1) === kv.key) continue;
        this.#naming.set(address, known);
        known.push(kv.key);
        this.#size++;
      }
    }
  }

  /** Removes the records before the oldest one in the store. */
  async #forgetGone(): Promise<void> {
    const oldest = await this.#archive.oldestKey();
    const isKept = (key: string): boolean => oldest !== undefined && key >= oldest;
    this.#size = 0;
    for (const [address, keys] of this.#naming) {
      const kept = keys.filter(isKept);
      this.#size += kept.length;
      if (kept.length > 0) this.#naming.set(address, kept);
      else this.#naming.delete(address);
    }
    for (const [network, key] of this.#ending) if (!isKept(key)) this.#ending.delete(network);
    this.#sizeThen = this.#size;
  }

  #reset(): void {
    this.#naming.clear();
    this.#ending.clear();
    this.#size = 0;
    this.#sizeThen = 0;
    this.#place = this.#parts.keys.events;
  }

  /** Events of these records; records that the store does not keep any more are left out. */
  async #read(keys: readonly string[], signal: AbortSignal): Promise<readonly Event[]> {
    const events: Event[] = [];
    for (let at = 0; at < keys.length && !signal.aborted; at += together) {
      const some = keys.slice(at, at + together).map((key) => this.#parts.store.get(key));
      for (const { kv } of await Promise.all(some)) if (kv !== undefined) events.push(...decodeRecord(kv));
    }
    return events;
  }
}

const ended = 'network.deleted';
