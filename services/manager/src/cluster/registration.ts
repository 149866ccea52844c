import { isCausewayError, type Name } from '@causeway/model';
import { type Clock, type Log, milliseconds, type Startable, seconds, within } from '@causeway/runtime';
import type { Keys } from '../store/keys.ts';
import { records } from '../store/records/index.ts';
import type { ManagerRecord } from '../store/records/manager.ts';
import type { Compare, Store, StoreLease } from '../store/store.ts';
import { nameTaken } from './name-taken.ts';
import type { Peers } from './peers.ts';

export type { ManagerRecord };

interface RegistryParts {
  readonly store: Pick<Store, 'get' | 'grant' | 'txn'>;
  readonly keys: Keys;
  readonly peers: Peers;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * What this process registers: its record, and its own id. By the id the process recognizes itself at an address that it
 * had before.
 */
export interface Registrant extends ManagerRecord {
  readonly instance: string;
}

/** Time to live of the registration: for so long a crashed manager counts as running. */
const ttl = seconds(15);
const pause = seconds(2);
/** How long to wait for the answer of a manager that has the name. */
const answerWithin = seconds(1);

/**
 * Registers this manager: a record on a lease, for as long as the manager runs, and a record without a lease, by which a
 * crashed manager is known until it is removed. When two managers have one name, the manager that registers second ends.
 * When a crashed manager left a registration at another address, this manager waits until the lease of that registration
 * ends.
 */
export class Registration implements Startable {
  readonly #parts: RegistryParts;
  #record: ManagerRecord;
  readonly #instance: string;
  readonly #stop = new AbortController();
  readonly #taken = new AbortController();
  /** Aborted when the record has changed. */
  #changed = new AbortController();
  #isWaiting = false;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: RegistryParts, { instance, ...record }: Registrant) {
    this.#parts = parts;
    this.#record = record;
    this.#instance = instance;
  }

  /**
   * Aborts with "name-taken" when another manager runs under the name. This manager must then end and serve nothing more.
   */
  get taken(): AbortSignal {
    return this.#taken.signal;
  }

  /** Registers that the manager's etcd trusts these roots. */
  changeTrust(etcdTrust: string): void {
    if (etcdTrust === this.#record.etcdTrust) return;
    this.#record = { ...this.#record, etcdTrust };
    this.#changed.abort();
  }

  start(): Promise<void> {
    this.#running = this.#run();
    return Promise.resolve();
  }

  /** The record is deleted at once; when the store does not answer, the end of the lease deletes it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log, store } = this.#parts;
    const { signal } = this.#stop;
    while (!signal.aborted && !this.#taken.signal.aborted) {
      let lease: StoreLease | undefined;
      try {
        lease = await store.grant(ttl);
        if (await this.#register(lease)) await this.#keep(lease);
      } catch (error) {
        if (isCausewayError(error, 'name-taken')) this.#taken.abort(error);
        else log.debug('manager.registration-failed', { message: String(error) });
      }
      await lease?.revoke().catch(() => undefined); // without an answer the lease ends by itself
      if (!this.#taken.signal.aborted) await clock.sleep(pause, signal);
    }
  }

  /** False while another registration has the name. @throws CausewayError name-taken: the manager with that name runs */
  async #register(lease: StoreLease): Promise<boolean> {
    const { store, keys } = this.#parts;
    const { name, address } = this.#record;
    const key = keys.manager(name as Name);
    const { kv } = await store.get(key);
    const other = kv === undefined ? undefined : records.manager.codec.decode(kv.value);
    if (other?.ok === true && other.value.value.address !== address) {
      if (!(await this.#isGone(other.value.value.address))) return false;
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

  /**
   * Whether the address that is registered under our name now belongs to another manager, or to this process. A manager
   * that does not answer may be cut off: the end of its lease decides, in 15 s at most.
   * @throws CausewayError name-taken
   */
  async #isGone(address: string): Promise<boolean> {
    const { peers, clock, log } = this.#parts;
    const { name } = this.#record;
    const ask = (signal: AbortSignal) => peers.describe(address, signal).catch(() => undefined);
    const answer = await within(clock, answerWithin, ask, this.#stop.signal);
    if (answer?.manager === undefined) {
      if (!this.#isWaiting) log.warn('manager.name-waits', { manager: name, address });
      this.#isWaiting = true;
      return false;
    }
    if (answer.manager.name !== name || answer.instance === this.#instance) return true;
    throw nameTaken(name, address, 'stop that one first');
  }

  /** Renews the lease until it is gone or the registration is stopped. */
  async #keep(lease: StoreLease): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#stop;
    for (;;) {
      await clock.sleep(milliseconds(lease.ttl / 3), AbortSignal.any([signal, this.#changed.signal]));
      if (signal.aborted) return;
      try {
        if (this.#changed.signal.aborted) {
          this.#changed = new AbortController();
          if (!(await this.#register(lease))) return;
        }
        await lease.renew(signal);
      } catch (error) {
        if (isCausewayError(error) && error.data['lease'] === 'gone') return;
      }
    }
  }
}
