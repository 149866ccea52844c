import { CausewayError, type RequestId } from '@causeway/model';
import { type Clock, type Log, type Random, Slices } from '@causeway/runtime';
import type { CallContext } from '../call/context.ts';
import { formatIdentity } from '../call/identity.ts';
import { shortMethod } from '../call/method.ts';
import type { Origin } from '../events/event-input.ts';
import { EventOrder } from '../events/order.ts';
import type { Allocator } from '../ipam/allocator.ts';
import type { Intent, Request } from '../plan/intent.ts';
import type { Keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import type { View } from '../store/view.ts';
import { Execution, type ExecutionParts } from './execution.ts';
import { Lanes } from './lanes.ts';
import { type Committed, checkSame, type IdentifiedRequest } from './outcomes.ts';
import { RequestLeases } from './request-leases.ts';
import { WritingTerm } from './writing-term.ts';

interface WriterParts {
  readonly store: Pick<Store, 'txn' | 'get' | 'page' | 'grant' | 'maxTxnOps'>;
  readonly view: View;
  readonly allocator: Allocator;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface WriterSettings {
  /** The manager's name: the actor of the manager's own changes. */
  readonly name: string;
  /** Absent: `mostCalls`. */
  readonly mostCalls?: number;
}

/**
 * What a write needs from its call. When the signal aborts, the caller no longer waits for the write. If the call was sent
 * before (`again`), copies of it may still arrive: the answer must hold for those too.
 */
export type WriteCall = Pick<CallContext, 'actor'> &
  Partial<Pick<CallContext, 'peer' | 'method' | 'isRetry' | 'signal'>>;

/** The same for a change by this manager itself; absent actor: the manager. `cause` names the rule, or the causing call. */
export type OwnChange = Pick<Origin, 'cause'> & Partial<Pick<CallContext, 'peer' | 'method' | 'actor' | 'signal'>>;

/** Writes this manager's own changes in one term. When the term is over, it writes nothing more. */
export interface TermWriter {
  /**
   * Plans the intent again until it is committed.
   * @throws CausewayError as `Writer.write`; not-leader when the term is over
   */
  apply<Reply>(intent: Intent<Reply>, change: OwnChange): Promise<Committed<Reply>>;
}

/**
 * Most calls under way at once, with their pending replies: about 8 KiB each, 64 MiB in all. This admits a burst of a
 * thousand hosts that attach eight containers each at the same moment.
 */
const mostCalls = 8_192;

/**
 * Calls are planned for at most this long in one turn of the event loop, ms. The lease of the leader must be renewed in time
 * also when a thousand claims arrive together on a busy machine: each turn reads what arrived, such as the store's answer.
 */
const longestPlanning = 5;

interface UnderWay {
  readonly term: WritingTerm;
  readonly request: Request<unknown>;
  readonly work: Promise<Committed<unknown>>;
}

/**
 * All changes go through the writer. A call is planned on the view, committed under the fence, and answered when the view
 * has the change, so a read after the answer sees the change. The outcome is kept in the transaction of the change. So a
 * call that is sent again after a lost reply, here or to another manager, gets the same answer and takes nothing twice.
 */
export class Writer {
  readonly #parts: WriterParts;
  readonly #settings: WriterSettings;
  readonly #order: EventOrder;
  readonly #execution: ExecutionParts;
  readonly #lanes = new Lanes();
  readonly #running = new Set<Promise<unknown>>();
  readonly #calls = new Map<RequestId, UnderWay>();
  #term: WritingTerm | undefined;
  #leader: string | undefined;

  constructor(parts: WriterParts, settings: WriterSettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.#order = new EventOrder(parts.keys);
    const { store, clock, random, log } = parts;
    const leases = new RequestLeases(parts);
    const slices = new Slices(parts, { longest: longestPlanning });
    this.#execution = {
      store,
      planning: parts,
      leases,
      slices,
      clock,
      random,
      log,
      notLeader: () => this.#notLeader(),
    };
  }

  /** follower -> leader. The returned writer writes in this term only. */
  lead(revision: bigint): TermWriter {
    this.#endTerm();
    this.#leader = undefined;
    const term = new WritingTerm({ ...this.#parts, order: this.#order }, revision);
    this.#term = term;
    return { apply: (intent, change) => this.#apply(term, intent, change) };
  }

  /** leader -> follower. Refusals name the address `leader`. */
  follow(leader?: string): void {
    this.#endTerm();
    this.#leader = leader;
  }

  /** Resolves when no call is under way any more. */
  async stop(): Promise<void> {
    this.follow();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  /**
   * If a call with the same id is under way, this call gets the same answer.
   * @throws CausewayError what the request's check and its plan throw; request-reused; not-leader; busy;
   * store-unavailable: nothing was written; timed-out: the outcome is unknown, and a retry under the same request id tells
   * it. When the signal aborts, the change itself goes on.
   */
  async write<Reply>(id: RequestId, request: Request<Reply>, call: WriteCall): Promise<Committed<Reply>> {
    const term = this.#current();
    request.check?.();
    const underWay = this.#calls.get(id);
    if (underWay?.term === term) {
      checkSame({ id, request }, underWay.request);
      if (call.isRetry === true) term.unresolved.resent(id);
      return await unlessAborted(underWay.work as Promise<Committed<Reply>>, call.signal);
    }
    this.#checkRoom();
    if (call.isRetry === true) term.unresolved.resent(id);
    const work = this.#enter(term, request, { ...callerOf(call), cause: id }, { id, request });
    const entry = { term, request, work };
    const leave = (): void => {
      if (this.#calls.get(id) === entry) this.#calls.delete(id);
    };
    this.#calls.set(id, entry);
    work.then(leave, leave);
    return await unlessAborted(work, call.signal);
  }

  /** Writes a change of this manager itself, without request id, in the present term. @throws as `write` */
  async apply<Reply>(intent: Intent<Reply>, change: OwnChange): Promise<Committed<Reply>> {
    return await this.#apply(this.#current(), intent, change);
  }

  async #apply<Reply>(term: WritingTerm, intent: Intent<Reply>, change: OwnChange): Promise<Committed<Reply>> {
    if (term.isOver) throw this.#notLeader();
    const { actor = `manager/${this.#settings.name}`, cause, signal } = change;
    return await unlessAborted(this.#enter(term, intent, { ...callerOf({ ...change, actor }), cause }), signal);
  }

  /**
   * The call stays bound to this term. Before a later term of this manager, another manager may have answered the caller.
   */
  #enter<Reply>(
    term: WritingTerm,
    intent: Intent<Reply>,
    origin: Origin,
    call?: IdentifiedRequest<Reply>,
  ): Promise<Committed<Reply>> {
    const execution = new Execution(this.#execution, term, { intent, origin, call });
    const work = (): Promise<Committed<Reply>> => execution.run();
    return this.#track(intent.lane === undefined ? work() : this.#lanes.run(intent.lane, work));
  }

  #track<Value>(work: Promise<Value>): Promise<Value> {
    const done = (): void => {
      this.#running.delete(work);
    };
    this.#running.add(work);
    work.then(done, done);
    return work;
  }

  /** @throws CausewayError busy */
  #checkRoom(): void {
    const { mostCalls: most = mostCalls } = this.#settings;
    if (this.#calls.size < most) return;
    throw new CausewayError('busy', `${most} calls are under way at this manager: try again in a moment`, { most });
  }

  #current(): WritingTerm {
    if (this.#term === undefined) throw this.#notLeader();
    return this.#term;
  }

  #notLeader(): CausewayError {
    const where = this.#leader === undefined ? 'none is known yet' : `ask ${this.#leader}`;
    return new CausewayError('not-leader', `this manager does not lead: ${where}`, { leader: this.#leader ?? '' });
  }

  #endTerm(): void {
    if (this.#term === undefined) return;
    const ended = this.#term.end();
    this.#term = undefined;
    void this.#track(ended);
  }
}

/** The actor is what the caller says; the subject is what the connection proves. */
function callerOf({ actor, peer, method }: Omit<WriteCall, 'signal'>): Omit<Origin, 'cause'> {
  return {
    actor,
    ...(peer !== undefined && { subject: formatIdentity(peer) }),
    ...(method !== undefined && { method: shortMethod(method) }),
  };
}

function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const give = (): void => {
      reject(
        new CausewayError(
          'timed-out',
          'no answer in time, so the outcome is unknown: repeat the call with the same request_id',
        ),
      );
    };
    const leave = (): void => signal.removeEventListener('abort', give);
    if (signal.aborted) give();
    signal.addEventListener('abort', give);
    work.then(resolve, reject).then(leave, leave);
  });
}
