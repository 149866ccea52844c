import { milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';
import type { CallContext } from '../call/context.ts';
import type { Custody } from '../cluster/ca/custody.ts';
import type { Peer } from '../cluster/peers.ts';
import { createManager, type Manager } from '../manager.ts';
import { defaultPrefix } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { MemoryBackend } from '../store/memory-backend.ts';
import { callContext } from './call-context.ts';
import { custodyOf, foundTestCluster, type TestCluster } from './founded-cluster.ts';
import { MemoryPeers, peerOf } from './memory-peers.ts';

export interface RunningManager {
  readonly manager: Manager;
  /** The manager's own connection to the store. Tests set faults on it. */
  readonly store: MemoryStore;
}

/** Managers of one cluster in this process: one store, and one clock that moves only when a test moves it. */
export class MemoryCluster {
  readonly clock = new FakeClock();
  readonly log = new MemoryLog();
  /** The cluster has a CA, and all managers have its sealing key; absent: it has none. */
  readonly founded: TestCluster | undefined;
  readonly #backend = new MemoryBackend({ clock: this.clock });
  readonly #running: RunningManager[] = [];
  #custody: Custody | undefined;
  /** By address: a manager as the manager with a name calls it. */
  readonly #peers = new Map<string, (by: string) => Peer>();

  /** `hasExternalCa`: the cluster has a CA, whose key is elsewhere. */
  constructor({ hasCa = false, hasExternalCa = false } = {}) {
    if (hasCa || hasExternalCa) this.founded = foundTestCluster(this.clock.wall(), { hasExternalCa });
  }

  /** Starts a manager. The first manager leads when this resolves. */
  async startManager(name = 'm1'): Promise<RunningManager> {
    const made = this.addManager(name);
    await this.clock.until(made.manager.start(), seconds(10));
    await this.settle();
    return made;
  }

  /** Makes a manager, which the caller starts. `custody`: absent: not locked. `hasProgram`: it can ask the external CA. */
  addManager(name: string, { custody = this.#sharedCustody(), hasProgram = true } = {}): RunningManager {
    const { clock, log } = this;
    const store = new MemoryStore({ clock, backend: this.#backend });
    const random = new SeededRandom(this.#running.length + 1);
    const { founded } = this;
    const settings = {
      ...{ name, advertise: `${name}:7443`, leaseTtl: seconds(3), prefix: defaultPrefix },
      ...(founded && { founding: founded.founding }),
    };
    const peers = new MemoryPeers((address) => this.#peers.get(address)?.(name));
    const externalCa = hasProgram ? founded?.externalCa : undefined;
    const parts = { store, peers, clock, random, log, ...(custody && { custody }), ...(externalCa && { externalCa }) };
    const manager = createManager(parts, settings);
    this.#peers.set(settings.advertise, (by) => peerOf(manager.api, by));
    const made = { manager, store };
    this.#running.push(made);
    return made;
  }

  /** Managers without files of their own have what one of them has. */
  #sharedCustody(): Custody | undefined {
    if (this.founded !== undefined) this.#custody ??= custodyOf(this.founded);
    return this.#custody;
  }

  /** That manager's own connection to the store. */
  storeOf(manager: Manager): MemoryStore {
    const found = this.#running.find((running) => running.manager === manager);
    if (found === undefined) throw new Error('no such manager runs here');
    return found.store;
  }

  /** The store no longer answers that manager. */
  cutOff(manager: Manager): void {
    this.#running.find((running) => running.manager === manager)?.store.setReachable(false);
  }

  /** That manager no longer answers other managers. "gone": its address is refused. "silent": it never answers. */
  unreachable(name: string, how: 'gone' | 'silent'): void {
    if (how === 'gone') this.#peers.delete(`${name}:7443`);
    else {
      const silent = (): Promise<never> => new Promise(() => undefined);
      this.#peers.set(`${name}:7443`, () => ({ describeManager: silent, reportRefusals: silent }));
    }
  }

  /** Lets everything that is ready run; time moves by 1 ms only. */
  settle(): Promise<void> {
    return this.clock.advance(milliseconds(1));
  }

  /** The answer of a call. Moves time as far as the call needs. */
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
