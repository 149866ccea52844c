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
  /** Canonical text of what was asked. */
  readonly content: string;
}

/** begun: the member was there, and may be gone since. done: it is gone. */
type Progress = 'begun' | 'done';

const kind = 'manager.remove';

/**
 * What became of a removal, under its request id as all outcomes are. It is no transaction of the store's, so the beginning is kept
 * too: a retry that does not find the member any more knows then that it is its own work.
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

  /** Somebody else who writes it has the same request to do: theirs stands then. @throws CausewayError store-unavailable, timed-out */
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
