import type { Revision } from '@causeway/chaos';
import { defaultPrefix, type Store } from '@causeway/manager';
import type { StoreEvent } from '@causeway/manager/testing';
import type { Clock } from '@causeway/runtime';

/** A prefix of all keys, those of events included: no revision is left out. */
const everything = '/';

/** Records every revision of a store, in order, as it was written. */
export class Recorder {
  readonly revisions: Revision[] = [];
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  async run(store: Pick<Store, 'follow'>, end: AbortSignal): Promise<void> {
    for await (const change of store.follow(everything, end)) {
      if (change.kind === 'snapshot' && change.kvs.length > 0) throw new Error(`no history before ${change.revision}`);
      for (const event of change.kind === 'events' ? change.events : []) this.#take(event);
    }
  }

  #take(event: StoreEvent): void {
    const [key, revision] =
      event.kind === 'put' ? [event.kv.key, event.kv.modRevision] : [event.key, event.modRevision];
    const { puts, deletes } = this.#at(revision);
    if (!key.startsWith(defaultPrefix)) return;
    const own = key.slice(defaultPrefix.length);
    if (event.kind === 'put') puts.push([own, decode(event.kv.value)]);
    else deletes.push(own);
  }

  #at(revision: bigint): { puts: [string, string][]; deletes: string[] } {
    const last = this.#open;
    if (last !== undefined && last.revision === Number(revision)) return last;
    const next = { revision: Number(revision), seen: this.#clock.now(), puts: [], deletes: [] };
    this.#open = next;
    this.revisions.push(next);
    return next;
  }

  #open: { readonly revision: number; puts: [string, string][]; deletes: string[] } | undefined;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
