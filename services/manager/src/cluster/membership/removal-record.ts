import type { RequestId } from '@causeway/model';
import { checkSame } from '../../commit/outcomes.ts';
import type { RequestLeases } from '../../commit/request-leases.ts';
import type { Keys } from '../../store/keys.ts';
import { decodeText, encodeText, type Json, object, text } from '../../store/records/codec.ts';
import type { Compare, Store } from '../../store/store.ts';

interface RemovalRecordParts {
  readonly store: Pick<Store, 'get' | 'txn'>;
  readonly leases: RequestLeases;
  readonly keys: Keys;
}

interface RemovalRequest {
  readonly id: RequestId;
  /** Canonical text of the request. */
  readonly content: string;
}

/** begun: the member existed, and may have been removed since. done: the member is removed. */
type Progress = 'begun' | 'done';

const kind = 'manager.remove';

/**
 * The outcome of a removal, kept under its request id like all outcomes. A removal is not a transaction of the store, so
 * its beginning is recorded, too: a retry that no longer finds the member then knows that the first try removed it.
 */
export class RemovalRecord {
  readonly #parts: RemovalRecordParts;
  readonly #request: RemovalRequest;
  #revision = 0n;

  constructor(parts: RemovalRecordParts, request: RemovalRequest) {
    this.#parts = parts;
    this.#request = request;
  }

  /** @throws CausewayError request-reused; store-unavailable */
  async read(): Promise<Progress | undefined> {
    const { id, content } = this.#request;
    const { kv } = await this.#parts.store.get(this.#key);
    if (kv === undefined) return undefined;
    const kept = object(JSON.parse(decodeText(kv.value)) as Json);
    checkSame({ id, request: { kind, content } }, { kind: text(kept, 'kind'), content: text(kept, 'content') });
    this.#revision = kv.modRevision;
    return kept['reply'] === undefined ? 'begun' : 'done';
  }

  /**
   * Another writer of the record has the same request, and its record stands.
   * @throws CausewayError store-unavailable, timed-out
   */
  async write(progress: Progress): Promise<void> {
    const { store, leases } = this.#parts;
    const key = this.#key;
    const compare: Compare =
      this.#revision === 0n ? { kind: 'absent', key } : { kind: 'unchanged', key, modRevision: this.#revision };
    const outcome = progress === 'done' ? { reply: {} } : {};
    const value = encodeText(JSON.stringify({ kind, content: this.#request.content, ...outcome }));
    const { succeeded, revision } = await store.txn(
      [compare],
      [{ kind: 'put', key, value, lease: await leases.take() }],
    );
    if (succeeded) this.#revision = revision;
  }

  get #key(): string {
    return this.#parts.keys.request(this.#request.id);
  }
}
