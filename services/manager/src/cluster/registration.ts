import { isCausewayError, type Name } from '@causeway/model';
import { type Clock, type Log, milliseconds, type Startable, seconds } from '@causeway/runtime';
import type { Keys } from '../store/keys.ts';
import { records } from '../store/records/index.ts';
import type { ManagerRecord } from '../store/records/manager.ts';
import type { Compare, Store, StoreLease } from '../store/store.ts';

export type { ManagerRecord };

interface RegistryParts {
  readonly store: Pick<Store, 'get' | 'grant' | 'txn'>;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly log: Log;
}

/** A manager that died counts as one that runs for so long. */
const ttl = seconds(15);
const pause = seconds(2);

/**
 * Says that this manager is there: its record, on a lease of its own, for as long as it runs; and beside it a record without a
 * lease, by which a manager that died is known until it is removed.
 */
export class Registration implements Startable {
  readonly #parts: RegistryParts;
  readonly #record: ManagerRecord;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(parts: RegistryParts, record: ManagerRecord) {
    this.#parts = parts;
    this.#record = record;
  }

  start(): Promise<void> {
    this.#running = this.#run();
    return Promise.resolve();
  }

  /** The record goes at once; when the store is not there, by itself. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log, store } = this.#parts;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let lease: StoreLease | undefined;
      try {
        lease = await store.grant(ttl);
        if (await this.#register(lease)) await this.#keep(lease);
      } catch (error) {
        log.debug('manager.registration-failed', { message: String(error) });
      }
      await lease?.revoke().catch(() => undefined); // it ends by itself then
      await clock.sleep(pause, signal);
    }
  }

  /** False when another manager has the name. */
  async #register(lease: StoreLease): Promise<boolean> {
    const { store, keys, log } = this.#parts;
    const { name, address } = this.#record;
    const key = keys.manager(name as Name);
    const { kv } = await store.get(key);
    const other = kv === undefined ? undefined : records.manager.codec.decode(kv.value);
    if (other?.ok === true && other.value.value.address !== address) {
      log.error('manager.name-taken', { manager: name, address: other.value.value.address });
      return false;
    }
    const compare: Compare =
      kv === undefined ? { kind: 'absent', key } : { kind: 'unchanged', key, modRevision: kv.modRevision };
    const { succeeded } = await store.txn(
      [compare],
      [
        { kind: 'put', key, value: records.manager.codec.encode(this.#record), lease: lease.id },
        { kind: 'put', key: keys.knownManager(name as Name), value: records.knownManager.codec.encode(this.#record) },
      ],
    );
    return succeeded;
  }

  /** Until the lease is gone, or stopped. */
  async #keep(lease: StoreLease): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#stop;
    for (;;) {
      await clock.sleep(milliseconds(lease.ttl / 3), signal);
      if (signal.aborted) return;
      try {
        await lease.renew(signal);
      } catch (error) {
        if (isCausewayError(error) && error.data['lease'] === 'gone') return;
      }
    }
  }
}
