import { assertNever, CausewayError, isCausewayError, type RequestId } from '@causeway/model';
import { type Clock, delays, type Log, milliseconds, type Random, seconds } from '@causeway/runtime';
import type { Intent, Planning, Proposal, Request } from '../admin/intent.ts';
import type { Allocator } from '../allocator/allocator.ts';
import type { Keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import type { View } from '../store/view.ts';
import type { CommitOutcome } from './committer.ts';
import { Lanes } from './lanes.ts';
import type { Transaction } from './merge.ts';
import { type Committed, readOutcome, withOutcome } from './outcomes.ts';
import { RequestLeases } from './request-leases.ts';
import { Tenure } from './tenure.ts';

export interface WriterParts {
  readonly store: Pick<Store, 'txn' | 'get' | 'grant'>;
  readonly view: View;
  readonly allocator: Allocator;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** A plan that keeps meeting others is given up: with a view that keeps up, each further try is less likely. */
const maxTries = 20;

/** How long a call waits for its view, or for a store that does not answer, before it goes on without. */
const patience = seconds(10);

/** Between looks at a store that does not answer. */
const lookAgain = { first: milliseconds(50), max: seconds(1), factor: 2 };

/**
 * The one door for changes. A call is planned on the view, committed under the fence, and answered when the view has it:
 * so whoever reads after the answer sees the change. Its outcome is kept with the change itself, so a call that is tried
 * again after a lost reply, here or at another manager, gets the same answer and takes nothing twice.
 */
export class Writer {
  readonly #parts: WriterParts;
  readonly #planning: Planning;
  readonly #leases: RequestLeases;
  readonly #lanes = new Lanes();
  readonly #running = new Set<Promise<unknown>>();
  #tenure: Tenure | undefined;
  #leader: string | undefined;

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#planning = parts;
    this.#leases = new RequestLeases(parts);
  }

  get isLeading(): boolean {
    return this.#tenure !== undefined;
  }

  /** follower -> leader */
  lead(term: bigint): void {
    this.#endTenure();
    this.#leader = undefined;
    this.#tenure = new Tenure(this.#parts, term);
  }

  /** leader -> follower; `leader` is the address refusals name. */
  follow(leader?: string): void {
    this.#endTenure();
    this.#leader = leader;
  }

  /** Resolves when no call is under way any more. */
  async stop(): Promise<void> {
    this.follow();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  /**
   * @throws CausewayError what the plan throws; request-reused; not-leader; store-unavailable: nothing was written;
   * timed-out: the outcome is unknown, the same request id tells. The change goes on when the signal aborts.
   */
  write<Reply>(id: RequestId, request: Request<Reply>, signal?: AbortSignal): Promise<Committed<Reply>> {
    return this.#track(this.#enter(request, { id, request }), signal);
  }

  /** A change of our own, without request id: its intent is planned anew until it is true. @throws as `write` */
  apply<Reply>(intent: Intent<Reply>, signal?: AbortSignal): Promise<Committed<Reply>> {
    return this.#track(this.#enter(intent, undefined), signal);
  }

  #track<Value>(work: Promise<Value>, signal?: AbortSignal): Promise<Value> {
    const done = (): void => {
      this.#running.delete(work);
    };
    this.#running.add(work);
    work.then(done, done);
    return signal === undefined ? work : unlessAborted(work, signal);
  }

  #enter<Reply>(intent: Intent<Reply>, call: Call<Reply> | undefined): Promise<Committed<Reply>> {
    const work = (): Promise<Committed<Reply>> => this.#run(intent, call);
    return intent.lane === undefined ? work() : this.#lanes.run(intent.lane, work);
  }

  async #run<Reply>(intent: Intent<Reply>, call: Call<Reply> | undefined): Promise<Committed<Reply>> {
    for (let tries = 1; tries <= maxTries; tries++) {
      const tenure = await this.#openTenure();
      const lease = call === undefined ? undefined : await this.#leases.current();
      let proposal: Proposal<Reply>;
      try {
        proposal = intent.plan(this.#planning);
      } catch (refusal) {
        // What is in the way may be the very thing an earlier try of this call has made.
        const earlier = await this.#kept(call);
        if (earlier !== undefined) return earlier;
        throw refusal;
      }
      const { reply } = proposal;
      if (proposal.writes.length === 0) return { reply, revision: this.#parts.view.revision };
      const transaction = this.#withOutcome(proposal, call, lease);
      const release = this.#parts.allocator.hold(proposal.takes);
      try {
        const outcome = await tenure.committer.commit(transaction);
        if (outcome.kind === 'committed') {
          await this.#seen(outcome.revision);
          return { reply, revision: outcome.revision };
        }
        const earlier = await this.#afterRefusal(outcome, call, tenure);
        if (earlier !== undefined) return earlier;
      } finally {
        release();
      }
    }
    throw new CausewayError('store-unavailable', 'others kept changing what this call depends on: try again');
  }

  /** What an earlier try has done, or undefined: plan again. */
  async #afterRefusal<Reply>(
    outcome: Exclude<CommitOutcome, { kind: 'committed' }>,
    call: Call<Reply> | undefined,
    tenure: Tenure,
  ): Promise<Committed<Reply> | undefined> {
    switch (outcome.kind) {
      case 'conflict': {
        const earlier = await this.#kept(call);
        await this.#seen(outcome.revision);
        return earlier;
      }
      case 'fenced':
        throw this.#notLeader();
      case 'failed':
        if (!isCausewayError(outcome.error) || outcome.error.data['lease'] !== 'gone') throw outcome.error;
        this.#leases.forget();
        return undefined;
      case 'unknown':
        return await this.#whenStoreAnswers(call, tenure, outcome.error);
      default:
        return assertNever(outcome);
    }
  }

  /**
   * After a transaction without answer. Not finding its outcome is no proof that it will not be written yet; planning
   * again is safe all the same, since both compare that the request has no outcome.
   */
  async #whenStoreAnswers<Reply>(
    call: Call<Reply> | undefined,
    tenure: Tenure,
    unknown: unknown,
  ): Promise<Committed<Reply> | undefined> {
    const { store, keys, clock, random, log } = this.#parts;
    const deadline = clock.now() + patience;
    log.warn('writer.outcome-unknown', { requestId: call?.id });
    for (const pause of delays(lookAgain, random)) {
      try {
        const { kv, revision } = await store.get(call === undefined ? keys.leader : keys.request(call.id));
        await this.#seen(kv?.modRevision ?? revision);
        if (call !== undefined && kv !== undefined) return readOutcome(kv, call.id, call.request);
        if (!tenure.isOver) return undefined;
      } catch (error) {
        if (isCausewayError(error, 'request-reused')) throw error;
      }
      if (tenure.isOver || clock.now() >= deadline) break;
      await clock.sleep(pause);
    }
    throw new CausewayError(
      'timed-out',
      'the store did not answer: the same request id tells what became of the call',
      {},
      { cause: unknown },
    );
  }

  async #kept<Reply>(call: Call<Reply> | undefined): Promise<Committed<Reply> | undefined> {
    if (call === undefined) return undefined;
    const { kv } = await this.#parts.store.get(this.#parts.keys.request(call.id));
    if (kv === undefined) return undefined;
    await this.#seen(kv.modRevision);
    return readOutcome(kv, call.id, call.request);
  }

  #withOutcome<Reply>(
    proposal: Proposal<Reply>,
    call: Call<Reply> | undefined,
    lease: bigint | undefined,
  ): Transaction {
    if (call === undefined || lease === undefined) return proposal;
    return withOutcome(proposal, proposal.reply, { ...call, lease, keys: this.#parts.keys });
  }

  /** A view that does not keep up costs the caller its "reads see it" after a while, not its answer. */
  async #seen(revision: bigint): Promise<void> {
    const { view, clock } = this.#parts;
    if (view.revision >= revision) return;
    const over = new AbortController();
    const reached = view.waitFor(revision, over.signal).catch(() => undefined);
    await Promise.race([reached, clock.sleep(patience, over.signal)]);
    over.abort();
  }

  async #openTenure(): Promise<Tenure> {
    const tenure = this.#tenure;
    if (tenure === undefined) throw this.#notLeader();
    await tenure.opened.catch(() => {
      throw this.#notLeader();
    });
    return tenure;
  }

  #notLeader(): CausewayError {
    const where = this.#leader === undefined ? 'none is known yet' : `ask ${this.#leader}`;
    return new CausewayError('not-leader', `this manager does not lead: ${where}`, { leader: this.#leader ?? '' });
  }

  #endTenure(): void {
    if (this.#tenure === undefined) return;
    const ended = this.#tenure.end();
    this.#tenure = undefined;
    void this.#track(ended);
  }
}

/** A request under its id. */
interface Call<Reply> {
  readonly id: RequestId;
  readonly request: Request<Reply>;
}

function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const give = (): void => {
      reject(new CausewayError('timed-out', 'no answer in time: the same request id tells what became of the call'));
    };
    if (signal.aborted) give();
    signal.addEventListener('abort', give);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', give));
  });
}
