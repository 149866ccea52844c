import type { Clock, Random } from '@causeway/runtime';
import type { EventInput } from '../events/event-input.ts';
import type { Allocator, Take } from '../ipam/allocator.ts';
import type { Keys } from '../store/keys.ts';
import type { JsonObject } from '../store/records/codec.ts';
import type { Compare, Write } from '../store/store.ts';
import type { View } from '../store/view.ts';

/** What a plan may look at. It reads, and changes nothing. */
export interface Planning {
  readonly view: View;
  readonly allocator: Allocator;
  readonly keys: Keys;
  readonly random: Random;
  /** Stamps what is made: a time for people, which no rule depends on. */
  readonly clock: Pick<Clock, 'wall'>;
}

/** What to write to make an intent true, under which conditions, and what to answer when it is written. */
export interface Proposal<Reply = unknown> {
  readonly compares: readonly Compare[];
  /** None: the intent is true already. */
  readonly writes: readonly Write[];
  /** The addresses and VNIs that the writes claim. */
  readonly takes: readonly Take[];
  /** Events that are recorded in the same transaction. */
  readonly events: readonly EventInput[];
  readonly reply: Reply;
  /** Since which revision the intent is true already. Absent: not known. */
  readonly since?: bigint;
}

/** The proposal of an intent that is true already. */
export function nothingToDo<Reply>(reply: Reply, since?: bigint): Proposal<Reply> {
  return { compares: [], writes: [], takes: [], events: [], reply, ...(since === undefined ? {} : { since }) };
}

/** A change that is wanted. Its plan is a pure function that is run again whenever the store moved underneath it. */
export interface Intent<Reply> {
  /** Intents of one lane are planned one after another, each seeing what the one before has written. */
  readonly lane?: string;
  /** @throws CausewayError when it cannot be made true */
  plan(planning: Planning): Proposal<Reply>;
}

/** An intent under a request id: its outcome is kept, so that a retry gets the same answer and changes nothing. */
export interface Request<Reply> extends Intent<Reply> {
  /** "network.create" */
  readonly kind: string;
  /** Canonical text of what was asked. The same request id with other content is a misuse. */
  readonly content: string;
  readonly outcome: OutcomeCodec<Reply>;
  /**
   * Refuses what is wrong whatever the store holds; called first, so that such a call costs the store nothing. No copy of
   * it, on whatever way here, can be written. @throws CausewayError
   */
  check?(): void;
}

/** A request that is planned, checked and answered like the given one, and writes nothing. */
export function rehearsal<Reply>(request: Request<Reply>): Request<Reply> {
  return {
    ...request,
    kind: `${request.kind}.rehearsal`,
    plan: (planning) => nothingToDo(request.plan(planning).reply),
  };
}

interface OutcomeCodec<Reply> {
  toJson(reply: Reply): JsonObject;
  fromJson(json: JsonObject): Reply;
}

export const noOutcome: OutcomeCodec<void> = { toJson: () => ({}), fromJson: () => undefined };
