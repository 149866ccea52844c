import { type Event, Event_EventType } from '@causeway/proto/gen/etcd/kv.js';

/** The changes of one revision of the store. Only keys of the cluster are kept, without their prefix. */
export interface Revision {
  readonly revision: number;
  /** When the revision was recorded, on the journal's clock. It was written before. */
  readonly seen: number;
  readonly puts: readonly (readonly [key: string, value: string])[];
  readonly deletes: readonly string[];
}

/**
 * The events of a message by revision. A message contains whole revisions only (rpc.proto, WatchCreateRequest.fragment). A
 * revision without changes under the prefix is returned too, empty: no number may be missing.
 */
export function revisionsOf(events: readonly Event[], prefix: string, seen: number): readonly Revision[] {
  const all = new Map<number, { puts: [string, string][]; deletes: string[] }>();
  for (const { type, kv } of events) {
    if (kv === undefined) continue;
    const revision = Number(kv.modRevision);
    const changes = all.get(revision) ?? { puts: [], deletes: [] };
    all.set(revision, changes);
    const key = textOf(kv.key);
    if (!key.startsWith(prefix)) continue;
    if (type === Event_EventType.DELETE) changes.deletes.push(key.slice(prefix.length));
    else changes.puts.push([key.slice(prefix.length), textOf(kv.value)]);
  }
  return [...all].map(([revision, changes]) => ({ revision, seen, ...changes }));
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}
