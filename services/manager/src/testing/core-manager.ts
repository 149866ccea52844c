import { CausewayError } from '@causeway/model';
import {
  aborted,
  type Clock,
  type Duration,
  type Log,
  minutes,
  type Random,
  type Startable,
  seconds,
} from '@causeway/runtime';
import { schema } from '../cluster/schema.ts';
import { Writer } from '../commit/writer.ts';
import { createControllers } from '../controllers/controllers.ts';
import type { HostReports } from '../controllers/host-reports.ts';
import type { Dialer } from '../election/dialer.ts';
import { Elector } from '../election/elector.ts';
import type { Controller } from '../election/term.ts';
import { TermRunner } from '../election/term-runner.ts';
import { EventRelay } from '../events/event-sink.ts';
import { Allocator } from '../ipam/allocator.ts';
import { Follower } from '../store/follower.ts';
import { createKeys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import type { MemoryBackend } from '../store/memory-backend.ts';
import type { Change, Compare, Store, StoreLease, Write } from '../store/store.ts';
import { View } from '../store/view.ts';

interface CoreManagerParts {
  readonly clock: Clock;
  readonly backend: MemoryBackend;
  readonly random: Random;
  readonly log: Log;
  /** Absent: hosts apply every change at once and are never silent. */
  readonly hosts?: HostReports;
  /** Connects to the processes of other managers; absent: this manager never connects. */
  readonly dialer?: Dialer;
}

interface CoreManagerSettings {
  readonly name: string;
  /** Address at which others reach this manager; absent: its name. */
  readonly address?: string;
  /** Time to live of the leader's lease. */
  readonly ttl: Duration;
  /** Calls under way at once; absent: as many as in production. */
  readonly mostCalls?: number;
}

/** How long the manager waits for hosts without a session before freed addresses and VNIs are given again. */
export const cooldown = seconds(30);

/** Hosts that apply every change at once and are never silent. */
const attentive = {
  progress: () => ({}),
  subscribeProgress: () => () => undefined,
  silentSince: () => undefined,
  hasRecovered: () => true,
  rekey: () => undefined,
  usersOfKeys: () => [],
  stepFacts: () => ({ waiting: [], unreachable: [], withoutSas: [] }),
};

/** No agent has a session here. */
const sessionless: Controller = { run: ({ signal }) => aborted(signal) };

/**
 * The part of a manager that decides and writes, with all that a leader does except sessions with hosts, on a store in
 * memory. `pause` stops it in the middle of its work, as SIGSTOP does.
 */
export class CoreManager implements Startable {
  readonly name: string;
  /** The manager's connection to the store. Tests set faults and latency here. */
  readonly store: MemoryStore;
  /**
   * Called for every transaction. When it returns a span, the sender gets no answer, and the transaction arrives after
   * that span all the same.
   */
  late: () => Duration | undefined = () => undefined;
  readonly keys = createKeys();
  readonly view = new View(this.keys);
  readonly allocator = new Allocator(this.view);
  readonly writer: Writer;
  readonly elector: Elector;
  readonly terms: TermRunner;
  readonly relay = new EventRelay();
  readonly #follower: Follower;
  readonly #gate = new Gate();

  constructor(
    { clock: world, backend, random, log, hosts = attentive, dialer }: CoreManagerParts,
    settings: CoreManagerSettings,
  ) {
    this.name = settings.name;
    this.store = new MemoryStore({ clock: world, backend });
    const clock = new GatedClock(world, this.#gate);
    const store = gated(
      delayed(this.store, world, () => this.late()),
      this.#gate,
    );
    const { view, keys, allocator } = this;
    this.#follower = new Follower({ store, view, log }, { prefix: keys.prefix });
    this.writer = new Writer({ store, view, allocator, keys, clock, random, log }, settings);
    const { writer } = this;
    this.elector = new Elector(
      { store, view, keys, clock, log, ...(dialer && { dialer: gatedDialer(dialer, this.#gate) }) },
      { ...settings, address: settings.address ?? settings.name, schema },
    );
    const { elector, relay } = this;
    const parts = { view, store, keys, relay, hosts, sessions: sessionless, clock, random, log };
    const age = { nodeGoneAfter: minutes(24 * 60), eventHistory: minutes(24 * 60), eventLimit: 200_000 };
    this.terms = new TermRunner({
      elector,
      view,
      writer,
      controllers: (termWriter) => createControllers({ ...parts, writer: termWriter }, { ...age, cooldown, schema }),
      log,
    });
  }

  /** The store has elected this manager, and its view has reached the term. */
  get leads(): boolean {
    return this.terms.term !== undefined;
  }

  async start(): Promise<void> {
    this.terms.start();
    await this.#follower.start();
    await this.elector.start();
  }

  async stop(): Promise<void> {
    this.#gate.open();
    await this.elector.stop();
    await this.terms.stop();
    await this.writer.stop();
    await this.#follower.stop();
  }

  /** Until `resume`, nothing is sent, nothing is received and no timer fires. What was sent before still arrives. */
  pause(): void {
    this.#gate.close();
  }

  resume(): void {
    this.#gate.open();
  }
}

class Gate {
  #closed: { readonly opened: Promise<void>; open(): void } | undefined;

  close(): void {
    if (this.#closed !== undefined) return;
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#closed = { opened, open };
  }

  open(): void {
    this.#closed?.open();
    this.#closed = undefined;
  }

  async pass(): Promise<void> {
    while (this.#closed !== undefined) await this.#closed.opened;
  }
}

class GatedClock implements Clock {
  readonly #clock: Clock;
  readonly #gate: Gate;

  constructor(clock: Clock, gate: Gate) {
    this.#clock = clock;
    this.#gate = gate;
  }

  now(): number {
    return this.#clock.now();
  }

  wall(): number {
    return this.#clock.wall();
  }

  async sleep(span: Duration, signal?: AbortSignal): Promise<void> {
    await this.#clock.sleep(span, signal);
    await this.#gate.pass();
  }

  async yield(): Promise<void> {
    await this.#clock.yield();
    await this.#gate.pass();
  }
}

type CoreStore = Pick<Store, 'maxTxnOps' | 'get' | 'page' | 'txn' | 'grant' | 'revoke' | 'follow'>;

/** How long the sender of a late transaction waits before it gives up. */
const patience = seconds(1);

/** Delays transactions: a late one is written after its sender has given up. */
function delayed(store: Store, clock: Clock, late: () => Duration | undefined): CoreStore {
  return {
    maxTxnOps: store.maxTxnOps,
    get: (key) => store.get(key),
    page: (span, options) => store.page(span, options),
    grant: (ttl) => store.grant(ttl),
    revoke: (lease) => store.revoke(lease),
    follow: (prefix, signal) => store.follow(prefix, signal),
    txn: async (compares, writes) => {
      const delay = late();
      if (delay === undefined) return await store.txn(compares, writes);
      void clock.sleep(delay).then(() => store.txn(compares, writes).catch(() => undefined));
      await clock.sleep(patience);
      throw new CausewayError('timed-out', 'the store did not answer, outcome unknown');
    },
  };
}

/** A paused manager learns what happens to its connections only when it resumes. */
function gatedDialer(dialer: Dialer, gate: Gate): Dialer {
  return {
    dial: async (address, signal) => {
      await gate.pass();
      const contact = await dialer.dial(address, signal);
      await gate.pass();
      if (contact.kind !== 'connected') return contact;
      return { ...contact, ended: contact.ended.then(() => gate.pass()) };
    },
  };
}

function gated(store: CoreStore, gate: Gate): CoreStore {
  const through = async <Reply>(call: () => Promise<Reply>): Promise<Reply> => {
    await gate.pass();
    try {
      return await call();
    } finally {
      await gate.pass();
    }
  };
  return {
    maxTxnOps: store.maxTxnOps,
    get: (key) => through(() => store.get(key)),
    page: (span, options) => through(() => store.page(span, options)),
    txn: (compares: readonly Compare[], writes: readonly Write[]) => through(() => store.txn(compares, writes)),
    grant: async (ttl): Promise<StoreLease> => {
      const lease = await through(() => store.grant(ttl));
      return {
        id: lease.id,
        ttl: lease.ttl,
        renew: (signal) => through(() => lease.renew(signal)),
        revoke: () => through(() => lease.revoke()),
      };
    },
    revoke: (lease) => through(() => store.revoke(lease)),
    follow: async function* (prefix, signal): AsyncGenerator<Change> {
      for await (const change of store.follow(prefix, signal)) {
        await gate.pass();
        yield change;
      }
    },
  };
}
