import { isCausewayError } from '@causeway/model';
import { Failover, hedgeRead, hedgeWrite, isRefused, type RunOptions } from '@causeway/proto';
import { type CallLimits, callUnary, type UnaryMethod } from '@causeway/proto/io';
import { type Clock, type Duration, milliseconds, seconds } from '@causeway/runtime';
import { explainSilence } from '../unreachable.ts';
import { Budget } from './budget.ts';

/** Pause before the next attempt to open a stream. */
const pauseBetweenTries = milliseconds(100);

/**
 * Time for the first message of a watch. A manager with an open connection sends it at once, or after it has caught up (2
 * s).
 */
const firstWithin = seconds(3);

/** What a call does: read; read at once or not at all; change something; wait for other processes; or change and wait. */
export type Purpose = 'read' | 'status' | 'change' | 'wait' | 'change-and-wait';

const hedges: Readonly<Record<Purpose, RunOptions>> = {
  read: { hedgeAfter: hedgeRead, readsOnly: true },
  // Together with up to one second for a connection and the start of the process, this stays within the two seconds of a
  // status.
  status: { hedgeAfter: hedgeRead, readsOnly: true, hangingRefuses: true, endWhenRefused: milliseconds(400) },
  change: { hedgeAfter: hedgeWrite },
  wait: { hedgeAfter: undefined },
  'change-and-wait': { hedgeAfter: undefined },
};

export interface CallerParts {
  readonly clock: Clock;
  readonly budget: Budget;
  readonly signal: AbortSignal;
  /** The user who runs the command. */
  readonly actor: string;
  /** Called with a server's remark beside its answer. */
  readonly onRemark?: (remark: string) => void;
}

export interface Servers {
  readonly what: 'manager' | 'agent';
  readonly addresses: readonly string[];
  /**
   * When all servers have refused connections for this long, the call ends; absent: it waits, because they may be
   * starting.
   */
  readonly endWhenRefused?: Duration;
}

/**
 * Calls any of several servers that can serve, within the time of the command. A call that is unavailable is tried again.
 * When one server is silent, another is asked too. Every mutating request carries a request id, so nothing is done twice.
 */
export class Caller {
  readonly #parts: CallerParts;
  readonly #servers: Servers;
  readonly #failover: Failover;

  constructor(parts: CallerParts, servers: Servers) {
    this.#parts = parts;
    this.#servers = servers;
    this.#failover = new Failover(servers.addresses, parts.clock);
  }

  /** The server that answered last; before the first answer, the first. */
  get current(): string {
    return this.#failover.current;
  }

  async call<Request, Response>(
    purpose: Purpose,
    methodAt: (address: string) => UnaryMethod<Request, Response>,
    request: Request,
  ): Promise<Response> {
    const { budget, signal, actor, onRemark } = this.#parts;
    const { endWhenRefused } = this.#servers;
    const remarks = new Map<string, string>();
    try {
      const { address, value } = await this.#failover.run(
        budget.left(),
        async (address, timeout, isRetry, attemptSignal) => {
          const hear = (remark: string): void => void remarks.set(address, remark);
          const limits = { timeout, signal: attemptSignal, actor, isRetry, onRemark: hear };
          return { address, value: await callUnary(methodAt(address), request, limits) };
        },
        { endWhenRefused, ...hedges[purpose], signal },
      );
      const remark = remarks.get(address);
      if (remark !== undefined) onRemark?.(remark);
      return value;
    } catch (error) {
      throw this.#explain(error);
    }
  }

  /**
   * A server that breaks off after its first item is not replaced: the reader decides what to do with a partial stream.
   */
  stream<Item>(open: (address: string, limits: CallLimits) => AsyncIterable<Item>): AsyncGenerator<Item> {
    return this.#stream(open, false);
  }

  /**
   * A stream that another server can continue: `open` asks for what comes after the items that were read. After an item,
   * the time to find another server starts again.
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
    const refusing = new Set<string>();
    const { addresses, endWhenRefused = Number.POSITIVE_INFINITY } = this.#servers;
    const began = clock.now();
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
        const isTransient = isCausewayError(error) && error.kind === 'unavailable';
        if (begun && resumes) budget = new Budget(clock, budget.total);
        if (!isTransient || (begun && !resumes) || budget.isOver) throw this.#explain(error);
        if (isRefused(error)) refusing.add(address);
        else refusing.clear();
        const allRefuse = addresses.every((each) => refusing.has(each));
        if (!begun && allRefuse && clock.now() - began >= endWhenRefused) throw this.#explain(error);
        this.#failover.moveOn(address, error);
        await clock.sleep(pauseBetweenTries, signal);
      }
    }
  }

  /** A stream of one server, whose first item must come soon. After a failure, the next attempt is at the next server. */
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
      this.#failover.moveOn(address, error);
      throw this.#explain(error);
    } finally {
      begun.abort();
      await timer;
    }
  }

  #explain(error: unknown): unknown {
    const { what, addresses } = this.#servers;
    return explainSilence(error, {
      what,
      at: addresses.join(', '),
      timeout: this.#parts.budget.total,
    });
  }
}
