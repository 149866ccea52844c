/** The changes of one revision of the store. Only keys of the cluster are kept, without their prefix. */
export interface Revision {
  readonly revision: number;
  /** When the revision was recorded, on the journal's clock. It was written before. */
  readonly seen: number;
  readonly puts: readonly (readonly [key: string, value: string])[];
  readonly deletes: readonly string[];
}

/** A message of etcd's watch as its JSON gateway prints it: int64 as text, bytes in base64. */
export interface WatchMessage {
  readonly result?: {
    readonly header: { readonly revision: string };
    readonly canceled?: boolean;
    readonly compact_revision?: string;
    readonly events?: readonly WatchEvent[];
  };
  readonly error?: { readonly message: string };
}

interface WatchEvent {
  /** Absent: a put. */
  readonly type?: 'DELETE';
  readonly kv: { readonly key: string; readonly value?: string; readonly mod_revision: string };
}

/**
 * The events of a message by revision. A message contains whole revisions only (rpc.proto, WatchCreateRequest.fragment). A
 * revision without changes under the prefix is returned too, empty: no number may be missing.
 */
export function revisionsOf(events: readonly WatchEvent[], prefix: string, seen: number): readonly Revision[] {
  const all = new Map<number, { puts: [string, string][]; deletes: string[] }>();
  for (const { type, kv } of events) {
    const revision = Number(kv.mod_revision);
    const changes = all.get(revision) ?? { puts: [], deletes: [] };
    all.set(revision, changes);
    const key = decode(kv.key);
    if (!key.startsWith(prefix)) continue;
    if (type === 'DELETE') changes.deletes.push(key.slice(prefix.length));
    else changes.puts.push([key.slice(prefix.length), decode(kv.value ?? '')]);
  }
  return [...all].map(([revision, changes]) => ({ revision, seen, ...changes }));
}

export function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

export function decode(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}

/** The end of the range of keys that begin with the prefix (etcd API, "Key ranges"). */
export function rangeEnd(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
