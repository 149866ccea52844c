import { assertNever, CausewayError, isCausewayError } from '@causeway/model';
import { type Clock, delays, type Log, milliseconds, type Random, type Slices, seconds } from '@causeway/runtime';
import type { Origin } from '../events/event-input.ts';
import { encodeEvent } from '../events/record.ts';
import type { Intent, Planning, Proposal } from '../plan/intent.ts';
import type { KeyValue, Store } from '../store/store.ts';
import type { CommitOutcome } from './committer.ts';
import type { Transaction } from './merge.ts';
import {
  type Committed,
  type IdentifiedRequest,
  type OutcomeRecord,
  readOutcome,
  refusing,
  withReply,
} from './outcomes.ts';
import type { RequestLeases } from './request-leases.ts';
import type { WritingTerm } from './writing-term.ts';

export interface ExecutionParts {
  readonly store: Pick<Store, 'get'>;
  readonly planning: Planning;
  readonly leases: RequestLeases;
  /** Divides the planning of many calls. */
  readonly slices: Pick<Slices, 'next'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  notLeader(): CausewayError;
}

/** After this many tries a call is given up. While the view keeps up, each further conflict is less likely. */
const maxTries = 20;

/** How long a call waits for its view, or for a store that does not answer, before it stops waiting. */
const patience = seconds(10);

/** Pauses between reads of a store that does not answer. */
const lookAgain = { first: milliseconds(50), max: seconds(1), factor: 2 };

interface Errand<Reply> {
  readonly intent: Intent<Reply>;
  readonly origin: Origin;
  /** Absent for an intent of the manager itself. */
  readonly call?: IdentifiedRequest<Reply> | undefined;
}

/**
 * Carries out one intent, in one term.
 *
 * ```
 *  ┌▶ caught up ─▶ plan ┬─▶ nothing to write ────────────────────────────▶ reply
 *  │                    ├─▶ refused ─▶ outcome kept? ─┬ yes ─────────────▶ that outcome
 *  │                    │                             └ no ─▶ keep it ───▶ the refusal
 *  │                    └─▶ commit ┬─▶ committed ─▶ view has it ─────────▶ reply
 *  │                               ├─▶ fenced ───────────────────────────▶ not-leader
 *  │                               ├─▶ failed ───────────────────────────▶ the failure
 *  │                               ├─▶ conflict ─▶ outcome kept? ┬ yes ──▶ that outcome
 *  │                               └─▶ unknown ──▶ ask the store ┤
 *  └────────────────── plan again, 20 times at most ◀── no ──────┘
 * ```
 *
 * "Outcome kept": the store has the outcome of an earlier try of the same call. An intent without a request id keeps no
 * outcome. A refusal is kept only for an unresolved call, of which another copy may still be written.
 */
export class Execution<Reply> {
  readonly #parts: ExecutionParts;
  readonly #term: WritingTerm;
  readonly #intent: Intent<Reply>;
  readonly #origin: Origin;
  readonly #call: IdentifiedRequest<Reply> | undefined;

  constructor(parts: ExecutionParts, term: WritingTerm, { intent, origin, call }: Errand<Reply>) {
    this.#parts = parts;
    this.#term = term;
    this.#intent = intent;
    this.#origin = origin;
    this.#call = call;
  }

  /** @throws CausewayError as `Writer.write` */
  async run(): Promise<Committed<Reply>> {
    for (let tries = 1; tries <= maxTries; tries++) {
      const done = await this.#try();
      if (done !== undefined) return done;
    }
    throw new CausewayError(
      'store-unavailable',
      'other calls kept changing the records that this call depends on: try again',
    );
  }

  /** Undefined: plan again. */
  async #try(): Promise<Committed<Reply> | undefined> {
    await this.#term.caughtUp().catch(() => {
      throw this.#parts.notLeader();
    });
    const lease = this.#call === undefined ? undefined : await this.#parts.leases.take();
    return await this.#parts.slices.next(() => this.#plan(lease));
  }

  /** Plans, and holds what the plan takes, without waiting in between. */
  async #plan(lease: bigint | undefined): Promise<Committed<Reply> | undefined> {
    if (this.#term.isOver) throw this.#parts.notLeader();
    const { planning } = this.#parts;
    let proposal: Proposal<Reply>;
    try {
      proposal = this.#intent.plan(planning);
    } catch (refusal) {
      return await this.#refuse(refusal, lease);
    }
    const { reply, takes, since } = proposal;
    if (proposal.writes.length === 0 && !this.#isUnresolved)
      return { reply, revision: since ?? planning.view.revision };
    const release = planning.allocator.hold(takes);
    try {
      const outcome = await this.#term.committer.commit(this.#transactionOf(proposal, lease));
      if (outcome.kind !== 'committed') return await this.#resolve(outcome);
      this.#settled();
      await this.#seen(outcome.revision);
      this.#term.answered(outcome.revision);
      return { reply, revision: since ?? outcome.revision };
    } finally {
      release();
    }
  }

  #transactionOf(proposal: Proposal<Reply>, lease: bigint | undefined): Transaction {
    const { compares, writes } = proposal;
    const events = proposal.events.map((event) => encodeEvent(event, this.#origin));
    const transaction = { compares, writes, events };
    const record = this.#recordOn(lease);
    return record === undefined ? transaction : withReply(transaction, proposal.reply, record);
  }

  /**
   * A refusal is true only while the term lasts: a deposed leader's view is behind. The call may also be refused because an
   * earlier try of the same call succeeded. And a refusal is final: while another copy of the call may still arrive, the
   * refusal is kept in the store first, so that no copy can be written. A refusal that says "try again" is not kept.
   */
  async #refuse(refusal: unknown, lease: bigint | undefined): Promise<Committed<Reply> | undefined> {
    const [earlier, lasts] = await Promise.all([this.#kept(), this.#term.committer.lasts()]);
    if (earlier !== undefined) return earlier;
    if (!lasts) throw this.#parts.notLeader();
    const record = this.#recordOn(lease);
    if (record === undefined || !this.#isUnresolved || !isCausewayError(refusal)) throw refusal;
    if (refusal.kind === 'unavailable') throw refusal;
    const outcome = await this.#term.committer.commit(refusing(refusal, record));
    if (outcome.kind !== 'committed') return await this.#resolve(outcome);
    this.#settled();
    throw refusal;
  }

  /** Returns the outcome of an earlier try, or undefined: plan again. */
  async #resolve(outcome: Exclude<CommitOutcome, { kind: 'committed' }>): Promise<Committed<Reply> | undefined> {
    switch (outcome.kind) {
      case 'conflict': {
        const earlier = await this.#kept();
        await this.#seen(outcome.revision);
        return earlier;
      }
      case 'fenced':
        throw this.#parts.notLeader();
      case 'failed':
        if (!isCausewayError(outcome.error) || outcome.error.data['lease'] !== 'gone') throw outcome.error;
        this.#parts.leases.forget();
        return undefined;
      case 'unknown':
        return await this.#whenStoreAnswers(outcome.error);
      default:
        return assertNever(outcome);
    }
  }

  /**
   * After a transaction without an answer. If the store has no outcome, the transaction may still be written later. Planning
   * again is safe all the same: both transactions compare that the call has no outcome, so at most one is written.
   */
  async #whenStoreAnswers(cause: unknown): Promise<Committed<Reply> | undefined> {
    const { clock, random, log } = this.#parts;
    const deadline = clock.now() + patience;
    log.warn('writer.outcome-unknown', { requestId: this.#call?.id });
    if (this.#call !== undefined) this.#term.unresolved.unanswered(this.#call.id);
    for (const pause of delays(lookAgain, random)) {
      const answer = await this.#look();
      if (answer?.kv !== undefined) return await this.#read(answer.kv);
      if (answer !== undefined) await this.#seen(answer.revision);
      if (answer !== undefined && !this.#term.isOver) return undefined;
      if (this.#term.isOver || clock.now() >= deadline) break;
      await clock.sleep(pause);
    }
    const message = 'the store did not answer, so the outcome is unknown: repeat the call with the same request_id';
    throw new CausewayError('timed-out', message, {}, { cause });
  }

  /** Where the outcome is kept; undefined for an intent without a request id. */
  #recordOn(lease: bigint | undefined): OutcomeRecord<Reply> | undefined {
    if (this.#call === undefined || lease === undefined) return undefined;
    return { call: this.#call, key: this.#parts.planning.keys.request(this.#call.id), lease };
  }

  /** Undefined when the store does not answer. */
  async #look(): Promise<{ readonly kv?: KeyValue; readonly revision: bigint } | undefined> {
    const { store, planning, log } = this.#parts;
    try {
      if (this.#call !== undefined) return await store.get(planning.keys.request(this.#call.id));
      return { revision: (await store.get(planning.keys.leader)).revision };
    } catch (error) {
      log.debug('writer.store-silent', { error });
      return undefined;
    }
  }

  async #kept(): Promise<Committed<Reply> | undefined> {
    if (this.#call === undefined) return undefined;
    const { kv } = await this.#parts.store.get(this.#parts.planning.keys.request(this.#call.id));
    return kv === undefined ? undefined : await this.#read(kv);
  }

  /** @throws CausewayError the refusal, when that is the outcome */
  async #read(kv: KeyValue): Promise<Committed<Reply> | undefined> {
    if (this.#call === undefined) return undefined;
    this.#settled();
    await this.#seen(kv.modRevision);
    this.#term.answered(kv.modRevision);
    return readOutcome(kv, this.#call);
  }

  /** Another copy of the call may still be written after the answer, so the answer must be kept in the store first. */
  get #isUnresolved(): boolean {
    return this.#call !== undefined && this.#term.unresolved.has(this.#call.id);
  }

  #settled(): void {
    if (this.#call !== undefined) this.#term.unresolved.delete(this.#call.id);
  }

  /**
   * Waits for the view, but not forever: when the view does not keep up, the caller gets its answer before reads see the
   * change.
   */
  async #seen(revision: bigint): Promise<void> {
    const { view } = this.#parts.planning;
    if (view.revision >= revision) return;
    const over = new AbortController();
    const reached = view.waitFor(revision, over.signal).catch(() => undefined);
    await Promise.race([reached, this.#parts.clock.sleep(patience, over.signal)]);
    over.abort();
  }
}
