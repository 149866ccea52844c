import type { CausewayError } from '@causeway/model';
import type { Keys } from './keys.ts';
import {
  type ClaimChange,
  type IndexOf,
  type KeptName,
  type RecordChange,
  records,
  type StoreKey,
  type ViewChange,
} from './records/index.ts';
import type { Index, KeyKind, RecordKind } from './records/kind.ts';
import type { KeyValue } from './store.ts';

/** Collects the effects of one change. */
export interface Effects {
  readonly changes: ViewChange[];
  readonly claims: ClaimChange[];
}

/** A key as a transaction wrote it. */
export type Written = Omit<KeyValue, 'createRevision'> & Partial<Pick<KeyValue, 'createRevision'>>;

interface Table {
  readonly kind: RecordKind;
  readonly index: Index<StoreKey, unknown>;
}

/** The content of a view: takes keys and values, and keeps indexed records. */
export class Tables {
  readonly #keys: Keys;
  readonly #byName = new Map<string, Table>();
  readonly #byKind = new Map<string, Table>();
  /** Records that could not be read, by key. The index keeps the last readable value. */
  readonly damaged = new Map<string, CausewayError>();

  constructor(keys: Keys) {
    this.#keys = keys;
    for (const [name, kind] of Object.entries<KeyKind | RecordKind>(records)) {
      if (!('index' in kind)) continue;
      const table = { kind, index: kind.index() as Index<StoreKey, unknown> };
      this.#byName.set(name, table);
      this.#byKind.set(kind.kind, table);
    }
  }

  of<Name extends KeptName>(name: Name): IndexOf<Name> {
    return this.#byName.get(name)?.index as IndexOf<Name>;
  }

  /** Without a create revision in `kv`: that of the record before, or else the revision of the write. */
  put(kv: Written, effects: Effects): void {
    const found = this.#find(kv.key);
    if (found === undefined) return;
    const { key, kind, index } = found;
    const record = kind.codec.decode(kv.value);
    if (!record.ok) {
      this.damaged.set(kv.key, record.error);
      return;
    }
    this.damaged.delete(kv.key);
    const before = index.get(key);
    const { modRevision, createRevision = createdOf(before) ?? modRevision } = kv;
    const after = kind.keep(record.value as never, { createRevision, modRevision });
    index.set(key, after);
    addEffect(effects, kind, { ...key, ...(before !== undefined && { before }), after }, kv.modRevision);
  }

  delete(keyText: string, revision: bigint, effects: Effects): void {
    this.damaged.delete(keyText);
    const found = this.#find(keyText);
    if (found === undefined) return;
    const { key, kind, index } = found;
    const before = index.get(key);
    if (before === undefined) return;
    index.delete(key);
    addEffect(effects, kind, { ...key, before }, revision);
  }

  #find(keyText: string): (Table & { readonly key: StoreKey }) | undefined {
    const key = this.#keys.parse(keyText);
    const table = key && this.#byKind.get(key.kind);
    return key && table && { ...table, key };
  }
}

function createdOf(kept: unknown): bigint | undefined {
  return typeof kept === 'object' ? (kept as { readonly created?: bigint }).created : undefined;
}

function addEffect(
  effects: Effects,
  { listeners }: RecordKind,
  change: StoreKey & { readonly before?: unknown; readonly after?: unknown },
  revision: bigint,
): void {
  if (listeners === 'record') effects.changes.push({ ...change, revision } as RecordChange);
  if (listeners === 'claim') effects.claims.push(change as ClaimChange);
}
