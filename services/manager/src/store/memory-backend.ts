import { type Clock, type Duration, milliseconds, Notifier, seconds } from '@causeway/runtime';
import { leaseGone } from './check.ts';
import { History, type HistorySnapshot } from './history.ts';
import type { Compare, TxnResult, Write } from './store.ts';

interface Lease {
  readonly id: bigint;
  readonly ttl: Duration;
  readonly keys: Set<string>;
  readonly ended: AbortController;
  deadline: number;
}

/** An etcd cluster in memory. Several MemoryStores share it. It serves requests in order of arrival. */
export class MemoryBackend {
  readonly history: History;
  readonly #clock: Clock;
  readonly #leases = new Map<bigint, Lease>();
  readonly #owners = new Map<string, Lease>();
  readonly #notifier = new Notifier();
  #queue: (() => void)[] = [];
  #frozen = false;
  #nextLease = 1n;

  /** `restored`: content of a backup, as etcd's own tool restores it. Keys that had a lease have none then. */
  constructor(parts: { readonly clock: Clock }, restored?: HistorySnapshot) {
    this.#clock = parts.clock;
    this.history = new History(restored);
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /**
   * Acts as SIGSTOP: the backend answers no request and ends no lease. Requests that arrive meanwhile are served after
   * `unfreeze`, even if their callers have given up.
   */
  freeze(): void {
    this.#frozen = true;
  }

  /** Ends the leases whose time is over first, then serves the waiting requests. */
  unfreeze(): void {
    this.#frozen = false;
    for (const lease of [...this.#leases.values()]) this.#endIfDue(lease);
    const queue = this.#queue;
    this.#queue = [];
    for (const serve of queue) serve();
    this.#notifier.notify();
  }

  /** Forgets the history up to a revision, by default all of it. */
  compact(revision: bigint = this.history.revision): void {
    this.history.compact(revision);
  }

  /** Ends the timers of all leases, so that nothing runs any more. */
  close(): void {
    for (const lease of this.#leases.values()) lease.ended.abort();
  }

  /** Runs a request in its turn. An error of the request goes to the caller. */
  serve<Reply>(request: () => Reply): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const run = (): void => {
        try {
          resolve(request());
        } catch (error) {
          reject(error);
        }
      };
      if (this.#frozen) this.#queue.push(run);
      else run();
    });
  }

  /** Resolves when something was written, the backend unfrozen, or the signal aborted. */
  changed(signal: AbortSignal): Promise<void> {
    return this.#notifier.wait(signal);
  }

  txn(compares: readonly Compare[], writes: readonly Write[]): TxnResult {
    const succeeded = compares.every((compare) => this.history.holds(compare));
    if (succeeded) this.#write(writes);
    return { succeeded, revision: this.history.revision };
  }

  grant(ttl: Duration): { readonly id: bigint; readonly ttl: Duration } {
    // Whole seconds, as etcd grants them.
    const granted = seconds(Math.max(1, Math.ceil(ttl / seconds(1))));
    const id = this.#nextLease++;
    const deadline = this.#clock.now() + granted;
    const lease: Lease = { id, ttl: granted, keys: new Set(), ended: new AbortController(), deadline };
    this.#leases.set(id, lease);
    void this.#watchOver(lease);
    return { id, ttl: granted };
  }

  renew(id: bigint): Duration {
    const lease = this.#leases.get(id);
    if (lease === undefined) throw leaseGone(`lease ${id}`);
    lease.deadline = this.#clock.now() + lease.ttl;
    return lease.ttl;
  }

  revoke(id: bigint): void {
    const lease = this.#leases.get(id);
    if (lease !== undefined) this.#end(lease);
  }

  #write(writes: readonly Write[]): void {
    for (const write of writes)
      if (write.kind === 'put' && write.lease !== undefined && !this.#leases.has(write.lease))
        throw leaseGone(`lease ${write.lease}`);
    this.history.write(writes);
    for (const write of writes) {
      // A key belongs to the lease of its last put, or to none.
      this.#owners.get(write.key)?.keys.delete(write.key);
      this.#owners.delete(write.key);
      const lease = write.kind === 'put' && write.lease !== undefined ? this.#leases.get(write.lease) : undefined;
      if (lease === undefined) continue;
      lease.keys.add(write.key);
      this.#owners.set(write.key, lease);
    }
    this.#notifier.notify();
  }

  async #watchOver(lease: Lease): Promise<void> {
    const { signal } = lease.ended;
    while (!signal.aborted) {
      await this.#clock.sleep(milliseconds(Math.max(0, lease.deadline - this.#clock.now())), signal);
      if (this.#frozen) await this.changed(signal);
      else this.#endIfDue(lease);
    }
  }

  #endIfDue(lease: Lease): void {
    if (this.#leases.has(lease.id) && this.#clock.now() >= lease.deadline) this.#end(lease);
  }

  #end(lease: Lease): void {
    lease.ended.abort();
    this.#leases.delete(lease.id);
    this.#write([...lease.keys].map((key) => ({ kind: 'delete', key })));
  }
}
