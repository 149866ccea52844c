import { CausewayError, isCausewayError, messageOf } from '@causeway/model';
import type { Failover } from '@causeway/proto';
import { type Duration, milliseconds, type Random, type Startable, waitOver } from '@causeway/runtime';
import { Interner } from '../tables/table.ts';
import { Outage } from './outage.ts';
import { refusalForEver } from './refusal-for-ever.ts';
import { learn, noWays, returned, wantsRelay } from './route.ts';
import { Session, type SessionModules } from './session.ts';
import { failureCode, reportOf, type SessionEnd } from './session-end.ts';
import { type SessionPause, SessionPauses } from './session-pauses.ts';

/** Maximum number of different failures that are logged between two sessions. */
const loggedAtMost = 32;

export interface SessionLoopModules extends SessionModules {
  readonly failover: Failover;
  readonly random: Random;
}

/** Keeps a session with the leader for as long as the agent runs and its cluster admits this host. */
export class SessionLoop implements Startable {
  readonly #modules: SessionLoopModules;
  readonly #interner = new Interner();
  readonly #abort = new AbortController();
  readonly #outage: Outage;
  #running: Promise<void> = Promise.resolve();
  #session: Session | undefined;
  /** Aborted when a caller needs a session: the agent then does not wait for its turn to come back. */
  #hurry = new AbortController();
  #ways = noWays;
  /** Failures that were logged since the last session. Each is logged once, however many managers are tried in turn. */
  readonly #logged = new Set<string>();
  /** The last failure at each manager since the last session. */
  readonly #failures = new Map<string, CausewayError>();

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
   * not arrive. The agent then does not wait for its turn to come back. Throws what `Outage.over` throws, and node-removed.
   */
  async up(timeout: Duration): Promise<void> {
    this.#modules.standing.checkMember();
    this.#hurry.abort(waitOver);
    await this.#outage.over(timeout);
  }

  /**
   * Opens the session anew, by the tables that the agent has: its connection is that of a certificate that was renewed. The
   * managers end connections whose certificate expires, and that would be a failure.
   */
  renew(): void {
    this.#session?.renew();
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
    const { failover, random } = this.#modules;
    const pauses = new SessionPauses(random, () => failover.known.length);
    while (!signal.aborted) {
      const end = await this.#runOne(failover.current, pauses, signal);
      if (signal.aborted) return;
      if (end === 'renewed') continue;
      this.#outage.failed(end.error);
      this.#log(end);
      if (this.#isForEver(end)) return;
      failover.moveOn(end.address, end.error);
      await this.#pause(pauses.after(end, this.#outage.isAwaited), signal);
    }
  }

  async #pause({ kind, span }: SessionPause, signal: AbortSignal): Promise<void> {
    this.#hurry = new AbortController();
    const over = kind === 'turn' ? AbortSignal.any([signal, this.#hurry.signal]) : signal;
    await this.#modules.clock.sleep(span, over);
  }

  async #runOne(address: string, pauses: SessionPauses, signal: AbortSignal): Promise<SessionEnd | 'renewed'> {
    const { clock, log } = this.#modules;
    const began = clock.now();
    this.#session = new Session(this.#modules, {
      address,
      relay: wantsRelay(address, this.#ways, began),
      returnAfter: this.#ways.returnAfter,
      interner: this.#interner,
      onWelcomed: (returnWithin) => {
        pauses.welcomed(returnWithin);
        this.#logged.clear();
        this.#failures.clear();
        this.#outage.end();
      },
    });
    const { error, isWelcomed, returningTo, isRenewed } = await this.#session.run(signal);
    if (isRenewed) {
      log.info('session.renewed', { manager: address });
      return 'renewed';
    }
    const isLeft = returningTo !== undefined;
    const end = { address, error, isWelcomed, isLeft, lasted: milliseconds(clock.now() - began) };
    if (returningTo !== undefined) this.#ways = returned(this.#ways, returningTo);
    this.#ways = learn(this.#ways, end, clock.now());
    return end;
  }

  /**
   * Whether there is no way back under this identity. This agent then asks no manager any more until it is started again,
   * and keeps the networks of its containers as they are.
   */
  #isForEver({ address, error }: SessionEnd): boolean {
    const { failover, log, standing } = this.#modules;
    if (isCausewayError(error)) this.#failures.set(address, error);
    else this.#failures.delete(address);
    const refusal = refusalForEver(failover.known, this.#failures);
    if (refusal === undefined) return false;
    const code = failureCode(refusal);
    if (code === 'node-removed') {
      standing.refused(isCausewayError(refusal, 'node-removed') ? refusal : asRemoval(refusal));
    } else {
      const message = `${messageOf(refusal)}; this agent asks no manager any more: set the managers of its cluster, or join again, and start it again`;
      log.error('agent.refused', { code, message });
    }
    this.#outage.stop();
    return true;
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

/** A removal that the manager said by the end of the connection, not of a call. */
function asRemoval(refusal: CausewayError): CausewayError {
  return new CausewayError('node-removed', messageOf(refusal), refusal.data, { cause: refusal });
}
