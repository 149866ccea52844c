import type { Revision } from '@causeway/chaos';
import { defaultPrefix, type Store } from '@causeway/manager';

/** Every revision of a store, in the order and the form in which it was written. */
export class Recorder {
  readonly revisions: Revision[] = [];

  async run(store: Pick<Store, 'follow'>, end: AbortSignal): Promise<void> {
    for await (const change of store.follow(defaultPrefix, end)) {
      if (change.kind === 'snapshot' && change.kvs.length > 0) throw new Error(`no history before ${change.revision}`);
      for (const event of change.kind === 'events' ? change.events : []) {
        if (event.kind === 'delete') this.#at(event.modRevision).deletes.push(event.key.slice(defaultPrefix.length));
        else
          this.#at(event.kv.modRevision).puts.push([event.kv.key.slice(defaultPrefix.length), decode(event.kv.value)]);
      }
    }
  }

  #at(revision: bigint): { puts: [string, string][]; deletes: string[] } {
    const last = this.#open;
    if (last !== undefined && last.revision === Number(revision)) return last;
    const next = { revision: Number(revision), puts: [], deletes: [] };
    this.#open = next;
    this.revisions.push(next);
    return next;
  }

  #open: { readonly revision: number; puts: [string, string][]; deletes: string[] } | undefined;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
