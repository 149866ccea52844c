import type { Clock, Random } from '@causeway/runtime';
import type { EventInput } from '../events/event-input.ts';
import type { Allocator, Take } from '../ipam/allocator.ts';
import type { Keys } from '../store/keys.ts';
import type { JsonObject } from '../store/records/codec.ts';
import type { Compare, Write } from '../store/store.ts';
import type { View } from '../store/view.ts';

/** What a plan may read. A plan changes none of it. */
export interface Planning {
  readonly view: View;
  readonly allocator: Allocator;
  readonly keys: Keys;
  readonly random: Random;
  /** For creation times. These are for people: no rule depends on them. */
  readonly clock: Pick<Clock, 'wall'>;
}

/** What to write to carry out an intent, under which conditions, and what to reply when it is written. */
export interface Proposal<Reply = unknown> {
  readonly compares: readonly Compare[];
  /** Empty: the intent is true already. */
  readonly writes: readonly Write[];
  /** The addresses and VNIs that the writes claim. */
  readonly takes: readonly Take[];
  /** Events that are recorded in the same transaction. */
  readonly events: readonly EventInput[];
  readonly reply: Reply;
  /** Revision since which the intent is true already. Absent: not known. */
  readonly since?: bigint;
}

/** The proposal of an intent that is true already. */
export function nothingToDo<Reply>(reply: Reply, since?: bigint): Proposal<Reply> {
  return { compares: [], writes: [], takes: [], events: [], reply, ...(since === undefined ? {} : { since }) };
}

/** A desired change. Its plan is a pure function. It is run again when the store has changed before the write. */
export interface Intent<Reply> {
  /** Intents of one lane are planned one after another: each plan sees the writes of the previous intent. */
  readonly lane?: string;
  /** @throws CausewayError when the intent cannot be carried out */
  plan(planning: Planning): Proposal<Reply>;
}

/** An intent with a request id. Its outcome is kept, so that a retry gets the same answer and changes nothing. */
export interface Request<Reply> extends Intent<Reply> {
  /** Name of the request, such as "network.create". */
  readonly kind: string;
  /** Canonical text of the request. The same request id with other content is refused (`request-reused`). */
  readonly content: string;
  readonly outcome: OutcomeCodec<Reply>;
  /**
   * Refuses a request that is wrong whatever the store holds. Called first, so that such a call costs the store nothing. No
   * copy of such a request can be written, however it arrives. @throws CausewayError
   */
  check?(): void;
}

/** A request that is checked, planned and answered like the given one, but writes nothing. */
export function asDryRun<Reply>(request: Request<Reply>): Request<Reply> {
  return {
    ...request,
    kind: `${request.kind}.dry-run`,
    plan: (planning) => nothingToDo(request.plan(planning).reply),
  };
}

interface OutcomeCodec<Reply> {
  toJson(reply: Reply): JsonObject;
  fromJson(json: JsonObject): Reply;
}

export const noOutcome: OutcomeCodec<void> = { toJson: () => ({}), fromJson: () => undefined };
