import { isCausewayError } from '@causeway/model';
import type { Clock, Log } from '@causeway/runtime';
import type { EventOrder } from '../events/order.ts';
import { encodeRecord } from '../events/record.ts';
import type { Keys } from '../store/keys.ts';
import type { Compare, KeySpan, Store, Write } from '../store/store.ts';
import type { View } from '../store/view.ts';
import { merge, type Transaction, takeBatch } from './merge.ts';

/** How a transaction ended. */
export type CommitOutcome =
  | { readonly kind: 'committed'; readonly revision: bigint }
  /** A condition did not hold, at that revision or before it: plan again on a view that has reached that revision. */
  | { readonly kind: 'conflict'; readonly revision: bigint }
  /** This leader's term is over. Nothing was written. */
  | { readonly kind: 'fenced' }
  /** The store was not reachable, or refused. It is certain that nothing was written. */
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The store did not answer: the transaction was written, or was not, or will be written later. */
  | { readonly kind: 'unknown'; readonly error: unknown };

interface CommitterParts {
  readonly store: Pick<Store, 'txn' | 'get' | 'page' | 'maxTxnOps'>;
  readonly keys: Keys;
  readonly view: Pick<View, 'wrote'>;
  readonly order: EventOrder;
  readonly clock: Clock;
  readonly log: Log;
}

interface CommitterSettings {
  /** Create revision of the leader key while the term lasts. */
  readonly term: bigint;
}

type Vacant = Extract<Compare, { kind: 'vacant' }>;

interface Waiting extends Transaction {
  settle(outcome: CommitOutcome): void;
}

/**
 * Writes for one term of leadership. One store transaction is in flight at a time. Transactions that arrive meanwhile go
 * together in the next one, so an idle leader adds no delay and a busy leader no round trips. Each store transaction carries
 * the fence, and one more key with the events of all its parts.
 */
export class Committer {
  readonly #parts: CommitterParts;
  readonly #settings: CommitterSettings;
  readonly #fence: Compare;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #closed = false;
  #look: Promise<void> = Promise.resolve();
  #nextLook: Promise<{ readonly lasts: boolean }> | undefined;

  constructor(parts: CommitterParts, settings: CommitterSettings) {
    this.#parts = parts;
    this.#settings = settings;
    this.#fence = { kind: 'created', key: parts.keys.leader, createRevision: settings.term };
  }

  /** Never rejects. */
  commit({ compares, writes, events }: Transaction): Promise<CommitOutcome> {
    if (this.#closed) return Promise.resolve({ kind: 'fenced' });
    return new Promise((settle) => {
      this.#waiting.push({ compares, writes, events, settle });
      this.#running ??= this.#run();
    });
  }

  /**
   * Whether the term lasts, as the store knows it at a moment after this call. However many callers ask at once, only one
   * read of the store is in flight at a time. @throws what the store throws
   */
  async lasts(): Promise<boolean> {
    if (this.#closed) return false;
    // The store may have answered a read that is in flight before this call was made, so this call waits for the next read.
    this.#nextLook ??= this.#look.then(() => {
      this.#nextLook = undefined;
      const look = this.#leader();
      this.#look = look.then(
        () => undefined,
        () => undefined,
      );
      return look;
    });
    const { lasts } = await this.#nextLook;
    return !this.#closed && lasts;
  }

  /** Sends nothing more. Waiting transactions end as fenced; the one in flight ends as the store says. */
  async close(): Promise<void> {
    this.#end();
    await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // lets callers in the same turn of the event loop join the first batch
    while (this.#waiting.length > 0) {
      const { batch, rest } = takeBatch(this.#waiting, this.#parts.store.maxTxnOps);
      this.#waiting = rest;
      await this.#send(batch);
    }
    this.#running = undefined;
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    const outcome = await this.#attempt(merge(batch));
    if (outcome.kind === 'fenced') this.#end();
    if (!isWorthSplitting(outcome) || batch.length === 1) {
      for (const { settle } of batch) settle(outcome);
      return;
    }
    this.#parts.log.debug('committer.split', { transactions: batch.length, outcome: outcome.kind });
    // Splits by halves: one bad transaction of n costs the others 2 log n round trips, not n.
    const middle = Math.ceil(batch.length / 2);
    await this.#send(batch.slice(0, middle));
    await this.#send(batch.slice(middle));
  }

  /** When a condition does not hold, a read of the leader key shows whether that condition was the fence. */
  async #attempt({ compares, writes, events }: Transaction): Promise<CommitOutcome> {
    if (this.#closed) return { kind: 'fenced' };
    const eventRecord = events.length === 0 ? undefined : this.#eventRecord(events);
    const conditions = eventRecord === undefined ? [] : [eventRecord.isLast];
    try {
      const all = eventRecord === undefined ? writes : [...writes, eventRecord.record];
      const { succeeded, revision } = await this.#parts.store.txn([this.#fence, ...conditions, ...compares], all);
      if (succeeded) return this.#committed(revision, all);
    } catch (error) {
      const refused = isCausewayError(error) && error.code !== 'timed-out';
      return { kind: refused ? 'failed' : 'unknown', error };
    }
    try {
      const [{ lasts, revision }] = await Promise.all([
        this.#leader(),
        eventRecord && this.#catchUp(eventRecord.isLast.span),
      ]);
      return lasts ? { kind: 'conflict', revision } : { kind: 'fenced' };
    } catch (error) {
      return { kind: 'failed', error };
    }
  }

  /** A record of events goes after all existing ones, or is not written. So no late record can land between older ones. */
  #eventRecord(events: readonly string[]): { readonly isLast: Vacant; readonly record: Write } {
    const { keys, order, clock } = this.#parts;
    const now = clock.wall();
    const place = order.next(now);
    return {
      isLast: { kind: 'vacant', span: { from: place, before: keys.eventsEnd } },
      record: { kind: 'put', key: keys.eventsAt(place, events.length), value: encodeRecord(now, events) },
    };
  }

  /** Finds a record after the place that seemed to be the last. An earlier leader, with a clock ahead of ours, wrote it. */
  async #catchUp(span: KeySpan): Promise<void> {
    const { store, order } = this.#parts;
    const { kvs } = await store.page(span, { limit: 1, newest: true, keysOnly: true });
    for (const kv of kvs) order.saw(kv.key);
  }

  #committed(revision: bigint, writes: readonly Write[]): CommitOutcome {
    const { view, log } = this.#parts;
    try {
      view.wrote(revision, writes);
    } catch (error) {
      log.error('view.listener-failed', { revision: `${revision}`, error });
    }
    return { kind: 'committed', revision };
  }

  async #leader(): Promise<{ readonly lasts: boolean; readonly revision: bigint }> {
    const { kv, revision } = await this.#parts.store.get(this.#parts.keys.leader);
    return { lasts: kv?.createRevision === this.#settings.term, revision };
  }

  #end(): void {
    this.#closed = true;
    for (const { settle } of this.#waiting) settle({ kind: 'fenced' });
    this.#waiting = [];
  }
}

/**
 * A bad transaction must not harm the others of its batch. And members with a smaller --max-txn-ops accept smaller batches.
 */
function isWorthSplitting(outcome: CommitOutcome): boolean {
  return (
    outcome.kind === 'conflict' || (outcome.kind === 'failed' && isCausewayError(outcome.error, 'invalid-argument'))
  );
}
