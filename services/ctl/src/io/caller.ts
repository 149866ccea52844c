import { type CausewayError, isCausewayError } from '@causeway/model';
import { Failover } from '@causeway/proto';
import { type CallLimits, callUnary, type UnaryMethod } from '@causeway/proto/io';
import { type Clock, milliseconds, seconds } from '@causeway/runtime';
import { explainSilence, isSilence } from '../unreachable.ts';
import { Budget } from './budget.ts';

/** Pause before a stream that nobody would open is tried again. */
const pauseBetweenTries = milliseconds(100);

/** A manager whose connection is open says at once that a watch has begun, or after it has caught up (2 s). */
const firstWithin = seconds(3);

export interface CallerParts {
  readonly clock: Clock;
  readonly budget: Budget;
  readonly signal: AbortSignal;
  /** Who runs the command. */
  readonly actor: string;
}

/**
 * Calls whichever of some servers can serve, within the time the command has. What is unavailable is tried again: every
 * mutating request carries a request id, so that takes nothing twice.
 */
export class Caller {
  readonly #parts: CallerParts;
  readonly #servers: { readonly what: 'manager' | 'agent'; readonly addresses: readonly string[] };
  readonly #failover: Failover;
  /** The last try that found nobody. Where a later one there runs out of time, the reason is this, not slowness. */
  #unreached: { readonly address: string; readonly error: CausewayError } | undefined;

  constructor(
    parts: CallerParts,
    servers: { readonly what: 'manager' | 'agent'; readonly addresses: readonly string[] },
  ) {
    this.#parts = parts;
    this.#servers = servers;
    this.#failover = new Failover(servers.addresses, parts.clock);
  }

  async call<Request, Response>(
    methodAt: (address: string) => UnaryMethod<Request, Response>,
    request: Request,
  ): Promise<Response> {
    const { budget, signal, actor } = this.#parts;
    this.#unreached = undefined;
    try {
      return await this.#failover.run(
        budget.left(),
        (address, timeout, again) =>
          this.#noting(address, callUnary(methodAt(address), request, { timeout, signal, actor, again })),
        signal,
      );
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /** A server that breaks off after its first item is not replaced: what came of a half is its reader's business. */
  stream<Item>(open: (address: string, limits: CallLimits) => AsyncIterable<Item>): AsyncGenerator<Item> {
    return this.#stream(open, false);
  }

  /**
   * A stream that another server can go on with: `open` asks for what comes after what was read by then. After each item
   * there is as much time to find one as the command had to begin with.
   */
  resumable<Item>(open: (address: string, limits: CallLimits) => AsyncIterable<Item>): AsyncGenerator<Item> {
    return this.#stream(open, true);
  }

  async *#stream<Item>(
    open: (address: string, limits: CallLimits) => AsyncIterable<Item>,
    resumes: boolean,
  ): AsyncGenerator<Item> {
    const { clock, signal } = this.#parts;
    let { budget } = this.#parts;
    this.#unreached = undefined;
    for (;;) {
      const address = this.#failover.current;
      let begun = false;
      try {
        for await (const item of open(address, { timeout: budget.left(), signal })) {
          begun = true;
          yield item;
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#note(address, error);
        const isPassing = isCausewayError(error) && error.kind === 'unavailable';
        if (begun && resumes) budget = new Budget(clock, budget.total);
        if (!isPassing || (begun && !resumes) || budget.isOver) throw this.#explain(error);
        this.#failover.moveOn(address, error);
        await clock.sleep(pauseBetweenTries, signal);
      }
    }
  }

  /** A stream of one server, whose first item comes soon. Whatever ends it, the next attempt is at the next server. */
  async *attempt<Item>(open: (address: string, limits: CallLimits) => AsyncIterable<Item>): AsyncGenerator<Item> {
    const { clock, signal } = this.#parts;
    const address = this.#failover.current;
    const late = new AbortController();
    const begun = new AbortController();
    const timer = clock.sleep(firstWithin, begun.signal).then(() => begun.signal.aborted || late.abort());
    try {
      const limits = { timeout: firstWithin, signal: AbortSignal.any([signal, late.signal]) };
      for await (const item of open(address, limits)) {
        begun.abort();
        yield item;
      }
    } catch (error) {
      this.#note(address, error);
      this.#failover.moveOn(address, error);
      throw this.#explain(error);
    } finally {
      begun.abort();
      await timer;
    }
  }

  async #noting<Value>(address: string, attempt: Promise<Value>): Promise<Value> {
    try {
      return await attempt;
    } catch (error) {
      this.#note(address, error);
      throw error;
    }
  }

  #note(address: string, error: unknown): void {
    if (isSilence(error, 'manager-unavailable')) this.#unreached = { address, error };
    else if (!isSilence(error, 'timed-out') || this.#unreached?.address !== address) this.#unreached = undefined;
  }

  #explain(error: unknown): unknown {
    const { what, addresses } = this.#servers;
    return explainSilence(this.#unreached?.error ?? error, {
      what,
      at: addresses.join(', '),
      timeout: this.#parts.budget.total,
    });
  }
}
