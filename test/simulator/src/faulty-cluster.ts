import { MemoryBackend, MemoryStore } from '@causeway/manager';
import { CoreManager, type HostReports, InvariantChecker, MemoryPorts } from '@causeway/manager/testing';
import { type Duration, milliseconds, seconds } from '@causeway/runtime';
import { FakeClock, MemoryLog, SeededRandom } from '@causeway/runtime/testing';

export interface FaultyClusterSettings {
  readonly seed: number;
  readonly managers: number;
  /** Time to live of the leader's lease. */
  readonly ttl: Duration;
  /** Makes the hosts of this world; absent: hosts that follow at once. */
  readonly hosts?: (world: { readonly clock: FakeClock; readonly random: SeededRandom }) => HostReports;
}

/** An accident of a manager or the store; `within`: its longest duration. */
type Accident = (manager: CoreManager, within: Duration) => Promise<void>;

/** Longest time between the beginnings of two accidents; they may overlap. */
const rhythm = milliseconds(600);
/** Longest duration of an accident, in times to live of the lease: another manager can become leader and be paused too. */
const longest = 2.5;

/**
 * The part of several managers that decides and writes, on one store. Requests and replies get lost, transactions
 * arrive after their senders have given up, managers are paused at any point, a live manager's process looks gone to
 * the others, clocks are set, and the store is frozen and compacted. The seed determines everything.
 */
export class FaultyCluster {
  readonly clock = new FakeClock();
  readonly random: SeededRandom;
  readonly backend: MemoryBackend;
  readonly log = new MemoryLog();
  readonly ports: MemoryPorts;
  readonly managers: readonly CoreManager[];
  readonly auditor = new InvariantChecker();
  readonly #ttl: Duration;
  readonly #hosts: HostReports | undefined;
  readonly #paused = new Set<CoreManager>();
  readonly #end = new AbortController();
  #calm = true;

  constructor({ seed, managers, ttl, hosts }: FaultyClusterSettings) {
    const { clock } = this;
    this.random = new SeededRandom(seed);
    this.backend = new MemoryBackend({ clock });
    this.ports = new MemoryPorts({ clock });
    this.ports.latency = () => milliseconds(this.random.float() * 2);
    this.#ttl = ttl;
    this.#hosts = hosts?.({ clock, random: new SeededRandom(seed + 1) });
    this.managers = Array.from({ length: managers }, (_, i) => this.#manager(`m${i + 1}`));
  }

  get calm(): boolean {
    return this.#calm;
  }

  /** Paused as by SIGSTOP. */
  isPaused(manager: CoreManager): boolean {
    return this.#paused.has(manager);
  }

  /** Whether a manager that took the leader's process for gone has ended that term. */
  wasEnded(term: bigint): boolean {
    return this.log.lines.some(({ event, fields }) => event === 'leader.term-ended' && fields?.['term'] === `${term}`);
  }

  get leaders(): readonly CoreManager[] {
    return this.managers.filter(({ leads }) => leads);
  }

  /** A client of the store without faults: it sees every revision. */
  observer(): MemoryStore {
    return new MemoryStore({ clock: this.clock, backend: this.backend });
  }

  /** Aborts at the end of the run. */
  get ended(): AbortSignal {
    return this.#end.signal;
  }

  /** Resolves when a manager leads. */
  async start(): Promise<void> {
    for (const manager of this.managers) await this.clock.until(manager.start(), seconds(10));
    void this.auditor.run(this.observer());
    while (this.leaders.length === 0) await this.clock.advance(milliseconds(50));
  }

  /** Causes accidents for a time span while the work goes on, then none until the work is done. */
  async runWithFaults(span: Duration, ...work: readonly (() => Promise<unknown>)[]): Promise<void> {
    this.#calm = false;
    const all = Promise.all([...work.map((begin) => begin()), this.#disturb(), this.#disturb()]);
    all.catch(() => undefined);
    await this.clock.advance(span);
    this.#calm = true;
    await this.clock.until(all, seconds(120));
  }

  async stop(): Promise<void> {
    for (const manager of this.managers) await this.clock.until(manager.stop(), seconds(60));
    this.auditor.stop();
    this.#end.abort();
    this.backend.close();
  }

  chance(probability: number): boolean {
    return this.random.float() < probability;
  }

  /** A whole number from 0 up to, but not including, `below`. */
  number(below: number): number {
    return Math.floor(this.random.float() * below);
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.number(items.length)];
  }

  #manager(name: string): CoreManager {
    const { clock, backend, ports, log } = this;
    const random = new SeededRandom(this.number(2 ** 32));
    const manager = new CoreManager(
      { clock, backend, dialer: ports, random, log, ...(this.#hosts && { hosts: this.#hosts }) },
      { name, ttl: this.#ttl },
    );
    ports.listen(name, () => manager.leads);
    const { store } = manager;
    store.reconnectDelay = () => milliseconds(this.random.float() * (this.chance(0.3) ? this.#ttl : 50));
    store.latency = () => milliseconds(this.random.float() * (this.chance(0.02) ? 300 : 5));
    store.fault = () => {
      const draw = this.#calm ? 1 : this.random.float();
      if (draw < 0.03) return 'lost-reply';
      return draw < 0.05 ? 'lost-request' : 'none';
    };
    manager.late = () =>
      !this.#calm && this.chance(0.04) ? milliseconds(this.random.float() * 4 * this.#ttl) : undefined;
    return manager;
  }

  async #disturb(): Promise<void> {
    while (!this.#calm) {
      await this.clock.sleep(milliseconds(this.random.float() * rhythm));
      const manager = this.pick(this.chance(0.5) ? this.leaders : this.managers);
      const accident = this.pick(this.#accidents);
      if (manager !== undefined) await accident?.(manager, milliseconds(this.random.float() * longest * this.#ttl));
    }
  }

  readonly #accidents: readonly Accident[] = [
    async (manager, within) => {
      if (this.#paused.has(manager)) return;
      this.#paused.add(manager);
      manager.pause();
      await this.clock.sleep(within);
      manager.resume();
      this.#paused.delete(manager);
    },
    async (manager, within) => {
      manager.store.setReachable(false);
      await this.clock.sleep(within);
      manager.store.setReachable(true);
    },
    async (_, within) => {
      if (this.backend.frozen) return;
      this.backend.freeze();
      await this.clock.sleep(milliseconds(within / 2));
      this.backend.unfreeze();
    },
    // The live manager learns from the store at once that it does not lead any more, or only when its watch is back.
    async (manager, within) => {
      if (this.chance(0.5)) manager.store.cut();
      this.ports.close(manager.name);
      await this.clock.sleep(milliseconds(within / 2));
      this.ports.listen(manager.name, () => manager.leads);
    },
    async (manager) => this.ports.breakConnections(manager.name),
    async (manager, within) => {
      this.ports.cut(manager.name);
      this.ports.breakConnections(manager.name);
      await this.clock.sleep(within);
      this.ports.heal(manager.name);
    },
    async () => this.clock.stepWall((this.random.float() - 0.5) * seconds(60)),
    async (manager) => manager.store.cut(),
    async (manager) => {
      this.backend.compact();
      manager.store.cut();
    },
  ];
}
