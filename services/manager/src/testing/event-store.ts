import type { Clock } from '@causeway/runtime';
import type { EventInput } from '../events/event-input.ts';
import { EventOrder } from '../events/order.ts';
import { encodeEvent, encodeRecord } from '../events/record.ts';
import { createKeys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';

/** A store to which a test writes events as the leader does, under the leader's key. */
export class EventStore {
  readonly keys = createKeys();
  readonly store: MemoryStore;
  readonly #clock: Clock;
  readonly #order = new EventOrder(this.keys);

  constructor(clock: Clock) {
    this.#clock = clock;
    this.store = new MemoryStore({ clock });
  }

  /** Makes the test the leader, and returns its term. */
  async lead(): Promise<bigint> {
    const value = new Uint8Array();
    return (await this.store.txn([], [{ kind: 'put', key: this.keys.leader, value }])).revision;
  }

  /** Writes one record with an event for each of these hosts. */
  async recordHosts(...hosts: readonly string[]): Promise<bigint> {
    const events = hosts.map((host): EventInput => ({ kind: 'node.ready', host, message: `${host} is ready` }));
    return (await this.record(events)).revision;
  }

  record(events: readonly EventInput[]): Promise<{ readonly revision: bigint }> {
    const now = this.#clock.wall();
    const key = this.keys.eventsAt(this.#order.next(now), events.length);
    const encoded = events.map((event) => encodeEvent(event, { actor: 'manager/m1', cause: 'test' }));
    return this.store.txn([], [{ kind: 'put', key, value: encodeRecord(now, encoded) }]);
  }
}
