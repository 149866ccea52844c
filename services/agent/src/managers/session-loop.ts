import { type CausewayError, isCausewayError } from '@causeway/model';
import type { Failover } from '@causeway/proto';
import { type Duration, milliseconds, type Random, type Startable } from '@causeway/runtime';
import { Interner } from '../tables/table.ts';
import { Outage } from './outage.ts';
import { learn, noWays, returned, wantsRelay } from './route.ts';
import { Session, type SessionModules } from './session.ts';
import { reportOf, type SessionEnd, SessionPauses } from './session-end.ts';

/** Maximum number of different failures that are logged between two sessions. */
const loggedAtMost = 32;

export interface SessionLoopModules extends SessionModules {
  readonly failover: Failover;
  readonly random: Random;
}

/** Keeps a session with the leader for as long as the agent runs, or until the managers say that they have removed this host. */
export class SessionLoop implements Startable {
  readonly #modules: SessionLoopModules;
  readonly #interner = new Interner();
  readonly #abort = new AbortController();
  readonly #outage: Outage;
  #running: Promise<void> = Promise.resolve();
  #session: Session | undefined;
  #ways = noWays;
  /** Failures that were logged since the last session. Each is logged once, however many managers are tried in turn. */
  readonly #logged = new Set<string>();

  constructor(modules: SessionLoopModules) {
    this.#modules = modules;
    this.#outage = new Outage(modules.clock);
    modules.stats.onChange(() => this.#session?.poke());
  }

  /** Address of the manager with which the agent has a session. */
  get manager(): string | undefined {
    return this.#session?.manager;
  }

  /**
   * Resolves when there is a session. Without a session a claimed endpoint cannot be programmed, because its table would
   * not arrive. Throws what `Outage.over` throws, and node-removed.
   */
  async up(timeout: Duration): Promise<void> {
    this.#modules.standing.checkMember();
    await this.#outage.over(timeout);
  }

  async start(): Promise<void> {
    this.#running = this.#run(this.#abort.signal);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    this.#outage.stop();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { failover, clock, random } = this.#modules;
    const pauses = new SessionPauses(random);
    while (!signal.aborted) {
      const end = await this.#runOne(failover.current, signal);
      if (signal.aborted) return;
      this.#outage.failed(end.error);
      this.#log(end);
      if (isCausewayError(end.error, 'node-removed')) return this.#removed(end.error);
      failover.moveOn(end.address, end.error);
      await clock.sleep(pauses.after(end), signal);
    }
  }

  async #runOne(address: string, signal: AbortSignal): Promise<SessionEnd> {
    const { clock } = this.#modules;
    const began = clock.now();
    this.#session = new Session(this.#modules, {
      address,
      relay: wantsRelay(address, this.#ways, began),
      returnAfter: this.#ways.returnAfter,
      interner: this.#interner,
      onWelcomed: () => {
        this.#logged.clear();
        this.#outage.end();
      },
    });
    const { error, isWelcomed, returningTo } = await this.#session.run(signal);
    const end = { address, error, isWelcomed, lasted: milliseconds(clock.now() - began) };
    if (returningTo !== undefined) this.#ways = returned(this.#ways, returningTo);
    this.#ways = learn(this.#ways, end, clock.now());
    return end;
  }

  /** There is no way back under this identity. The agent keeps the networks of its containers as they are. */
  #removed(error: CausewayError): void {
    this.#modules.standing.refused(error);
    this.#outage.stop();
  }

  /** Logs a failure that repeats only once, until there is a session. */
  #log(end: SessionEnd): void {
    const { level, event, fields } = reportOf(end);
    const failure = [event, ...Object.values(fields)].join(' ');
    if (this.#logged.has(failure) || this.#logged.size >= loggedAtMost) return;
    this.#logged.add(failure);
    this.#modules.log[level](event, fields);
  }
}
