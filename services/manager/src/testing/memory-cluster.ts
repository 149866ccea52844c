import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import type { CallContext } from '../call/context.ts';
import type { Peer } from '../cluster/peers.ts';
import { createManager, type Manager } from '../manager.ts';
import { defaultPrefix } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { callContext } from './call-context.ts';
import { MemoryPeers } from './memory-peers.ts';

export interface RunningManager {
  readonly manager: Manager;
  /** Its own connection to the store, with faults to set. */
  readonly store: MemoryStore;
}

/** Managers of one cluster in this process: one store, one clock that moves only when told to. */
export class MemoryCluster {
  readonly clock = new FakeClock();
  readonly log = new MemoryLog();
  readonly #backend = new MemoryBackend({ clock: this.clock });
  readonly #running: RunningManager[] = [];
  readonly #peers = new Map<string, Peer>();

  /** Started, and leading when it is the first. */
  async startManager(name = 'm1'): Promise<RunningManager> {
    const { clock, log } = this;
    const store = new MemoryStore({ clock, backend: this.#backend });
    const random = new SeededRandom(this.#running.length + 1);
    const settings = { name, advertise: `${name}:7443`, leaseTtl: seconds(3), prefix: defaultPrefix };
    const peers = new MemoryPeers((address) => this.#peers.get(address));
    const manager = createManager({ store, peers, clock, random, log }, settings);
    this.#peers.set(settings.advertise, manager.api.cluster);
    this.#running.push({ manager, store });
    await clock.until(manager.start(), seconds(10));
    await this.settle();
    return { manager, store };
  }

  /** That manager's own connection. */
  storeOf(manager: Manager): MemoryStore {
    const found = this.#running.find((running) => running.manager === manager);
    if (found === undefined) throw new Error('no such manager runs here');
    return found.store;
  }

  /** The store does not answer that manager any more. */
  cutOff(manager: Manager): void {
    this.#running.find((running) => running.manager === manager)?.store.setReachable(false);
  }

  /** That manager answers no other: it is gone, or says nothing, without an end. */
  unreachable(name: string, how: 'gone' | 'silent'): void {
    if (how === 'gone') this.#peers.delete(`${name}:7443`);
    else this.#peers.set(`${name}:7443`, { describeManager: () => new Promise(() => undefined) });
  }

  /** Lets everything that is ready run, without time going on. */
  settle(): Promise<void> {
    return this.clock.advance(milliseconds(1));
  }

  /** A call's answer, moving time on as far as that needs. */
  answer<Value>(promise: Promise<Value>): Promise<Value> {
    return this.clock.until(promise, seconds(60));
  }

  call(remaining = seconds(5)): CallContext {
    return callContext({ remaining });
  }

  async stop(): Promise<void> {
    for (const { manager, store } of this.#running.splice(0)) {
      await this.answer(manager.stop());
      await store.close();
    }
  }
}
